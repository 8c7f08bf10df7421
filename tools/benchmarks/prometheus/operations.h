// The daemon's families of operations as a program keeps them that uses prometheus-cpp as its manual shows:
// every operation looks its series up by their labels.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace metricsd::measuring {

struct PlainOperation {
  std::string operation;
  std::string workload;
  std::string driver;
  std::string error_code;
  bool success = true;
  double duration_seconds = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t retries = 0;
};

// One thread.
class PrometheusOperations {
 public:
  PrometheusOperations();

  void fold(const PlainOperation& operation);
  // The page of a scrape.
  [[nodiscard]] std::string scrape() const;

 private:
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Histogram>& duration_;
  prometheus::Family<prometheus::Histogram>& size_;
  prometheus::Family<prometheus::Counter>& operations_;
  prometheus::Family<prometheus::Counter>& bytes_;
  prometheus::Family<prometheus::Counter>& errors_;
  prometheus::Family<prometheus::Counter>& retries_;
};

}  // namespace metricsd::measuring
