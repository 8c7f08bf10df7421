// The families that operations are folded into: the table of docs/metrics.md.
#pragma once

#include <metricsd/models/operation.h>
#include <metricsd/models/registry.h>

#include <string>
#include <vector>

namespace metricsd::server {

struct FamilyOptions {
  std::string metrics_namespace = "workload";
  std::vector<double> duration_bounds = default_duration_bounds();  // seconds
  std::vector<double> size_bounds = default_size_bounds();          // bytes
};

// Every family under the namespace, run_info included.
[[nodiscard]] std::vector<FamilySpec> operation_family_specs(const FamilyOptions& options);
[[nodiscard]] FamilySpec run_info_spec(const std::string& metrics_namespace);

// One thread: the registry's.
class OperationFamilies {
 public:
  // Defines the families in `registry`, which must outlive this object and have none of them under another
  // meaning.
  OperationFamilies(Registry& registry, const FamilyOptions& options);

  void apply(const OperationView& operation, const Moment& now);

  [[nodiscard]] Family<Gauge>& active_users() { return *active_users_; }

 private:
  Family<Histogram>* duration_;
  Family<Histogram>* size_;
  Family<Counter>* operations_;
  Family<Counter>* bytes_;
  Family<Counter>* errors_;
  Family<Counter>* retries_;
  Family<Gauge>* active_users_;
};

}  // namespace metricsd::server
