#include "operations.h"

#include <metricsd/models/family.h>

#include <prometheus/text_serializer.h>

namespace metricsd::measuring {

namespace {

prometheus::Family<prometheus::Counter>& counter(prometheus::Registry& registry, const char* name) {
  return prometheus::BuildCounter().Name(name).Help("Help.").Register(registry);
}

prometheus::Family<prometheus::Histogram>& histogram(prometheus::Registry& registry, const char* name) {
  return prometheus::BuildHistogram().Name(name).Help("Help.").Register(registry);
}

}  // namespace

PrometheusOperations::PrometheusOperations()
    : duration_(histogram(registry_, "workload_operation_duration_seconds")),
      size_(histogram(registry_, "workload_operation_size_bytes")),
      operations_(counter(registry_, "workload_operations_total")),
      bytes_(counter(registry_, "workload_bytes_transferred_total")),
      errors_(counter(registry_, "workload_operation_errors_total")),
      retries_(counter(registry_, "workload_operation_retries_total")) {}

void PrometheusOperations::fold(const PlainOperation& operation) {
  const prometheus::Labels by_workload{
      {"operation", operation.operation}, {"workload", operation.workload}, {"driver", operation.driver}};
  prometheus::Labels by_status = by_workload;
  by_status["status"] = operation.success ? "success" : "failure";

  duration_.Add(by_status, default_duration_bounds()).Observe(operation.duration_seconds);
  operations_.Add(by_status).Increment();
  size_.Add(by_workload, default_size_bounds()).Observe(static_cast<double>(operation.size_bytes));
  retries_.Add(by_workload).Increment(static_cast<double>(operation.retries));
  if (operation.success) {
    bytes_.Add(by_workload).Increment(static_cast<double>(operation.size_bytes));
  } else {
    prometheus::Labels by_code = by_workload;
    by_code["error_code"] = operation.error_code;
    errors_.Add(by_code).Increment();
  }
}

std::string PrometheusOperations::scrape() const {
  return prometheus::TextSerializer().Serialize(registry_.Collect());
}

}  // namespace metricsd::measuring
