// Figures told to the daemon by the client library.
#pragma once

#include "metric_book.h"

#include <metricsd/client/collector.h>

#include <string>
#include <unordered_map>

namespace metricsd::tools {

class ClientBook final : public MetricBook {
 public:
  // `run` outlives it.
  ClientBook(client::Collector& run, std::string metric_namespace)
      : run_(run), namespace_(std::move(metric_namespace)) {}

  void add(const MetricFamily& counter, LabelSpan labels, double amount) override;
  void set(const MetricFamily& gauge, LabelSpan labels, double value) override;
  void observe(const MetricFamily& histogram, LabelSpan labels, double value) override;

 private:
  // A family's handles by the values of their labels.
  template <class Handle>
  using Handles = std::unordered_map<const MetricFamily*, std::unordered_map<std::string, Handle>>;

  // The handle of these values; `make` defines it.
  template <class Handle, class Make>
  Handle& find(Handles<Handle>& handles, const MetricFamily& family, LabelSpan labels, const Make& make);

  client::Collector& run_;
  const std::string namespace_;
  Handles<client::Counter> counters_;
  Handles<client::Gauge> gauges_;
  Handles<client::Histogram> histograms_;
  std::string key_;  // reused
};

}  // namespace metricsd::tools
