#include "operation_families.h"

#include <metricsd/models/limits.h>
#include <metricsd/models/operation.h>

#include <array>
#include <span>
#include <string_view>

namespace metricsd::server {
namespace {

const LabelNames kByWorkload{"operation", "workload", "driver"};
const LabelNames kByStatus{"operation", "workload", "driver", "status"};

FamilySpec duration_spec(const FamilyOptions& options) {
  return {.base_name = options.metrics_namespace + "_operation_duration",
          .unit = "seconds",
          .help = "Time operations took.",
          .kind = Kind::histogram,
          .label_names = kByStatus,
          .bounds = options.duration_bounds,
          .kept_label = "status"};
}

FamilySpec size_spec(const FamilyOptions& options) {
  return {.base_name = options.metrics_namespace + "_operation_size",
          .unit = "bytes",
          .help = "Size of the objects that operations worked on.",
          .kind = Kind::histogram,
          .label_names = kByWorkload,
          .bounds = options.size_bounds,
          .kept_label = {}};
}

FamilySpec counter_spec(const std::string& name, std::string help, LabelNames label_names,
                        std::string kept_label = {}) {
  return {.base_name = name,
          .unit = {},
          .help = std::move(help),
          .kind = Kind::counter,
          .label_names = std::move(label_names),
          .bounds = {},
          .kept_label = std::move(kept_label)};
}

FamilySpec operations_spec(const FamilyOptions& options) {
  return counter_spec(options.metrics_namespace + "_operations", "Operations that ended.", kByStatus,
                      "status");
}

FamilySpec bytes_spec(const FamilyOptions& options) {
  return counter_spec(options.metrics_namespace + "_bytes_transferred",
                      "Bytes that successful operations moved.", kByWorkload);
}

FamilySpec errors_spec(const FamilyOptions& options) {
  return counter_spec(options.metrics_namespace + "_operation_errors",
                      "Operations that failed, by error code.",
                      {"operation", "workload", "driver", "error_code"});
}

FamilySpec retries_spec(const FamilyOptions& options) {
  return counter_spec(options.metrics_namespace + "_operation_retries", "Retries that operations needed.",
                      kByWorkload);
}

FamilySpec active_users_spec(const FamilyOptions& options) {
  return {.base_name = options.metrics_namespace + "_active_users",
          .unit = {},
          .help = "Users at work now, in all live senders.",
          .kind = Kind::gauge,
          .label_names = {"workload", "driver", "scenario"},
          .merge = Merge::sum,
          .bounds = {},
          .kept_label = {}};
}

}  // namespace

FamilySpec run_info_spec(const std::string& metrics_namespace) {
  return {.base_name = metrics_namespace + "_run_info",
          .unit = {},
          .help = "Runs that are going on; the value is always 1.",
          .kind = Kind::gauge,
          .label_names = {"test_run_id", "test_name", "scenario", "driver"},
          .merge = Merge::max,
          .bounds = {},
          .kept_label = {}};
}

std::vector<FamilySpec> operation_family_specs(const FamilyOptions& options) {
  return {duration_spec(options),     size_spec(options),
          operations_spec(options),   bytes_spec(options),
          errors_spec(options),       retries_spec(options),
          active_users_spec(options), run_info_spec(options.metrics_namespace)};
}

OperationFamilies::OperationFamilies(Registry& registry, const FamilyOptions& options)
    : duration_(registry.define<Histogram>(duration_spec(options)).value()),
      size_(registry.define<Histogram>(size_spec(options)).value()),
      operations_(registry.define<Counter>(operations_spec(options)).value()),
      bytes_(registry.define<Counter>(bytes_spec(options)).value()),
      errors_(registry.define<Counter>(errors_spec(options)).value()),
      retries_(registry.define<Counter>(retries_spec(options)).value()),
      active_users_(registry.define<Gauge>(active_users_spec(options)).value()),
      duration_buckets_(options.duration_bounds, 1e-9, static_cast<double>(limits::kDurationNs) / 1e9),
      size_buckets_(options.size_bounds, 1, static_cast<double>(limits::kWhole)) {}

OperationTargets OperationFamilies::find(const OperationLabels& labels, const Moment& now) {
  const std::array<std::string_view, 4> by_status{labels.operation_type, labels.workload_type, labels.driver,
                                                  labels.success ? "success" : "failure"};
  const std::array<std::string_view, 4> by_code{labels.operation_type, labels.workload_type, labels.driver,
                                                error_code_or_unknown(labels.error_code)};
  const auto by_workload = std::span(by_status).first<3>();
  OperationTargets targets;
  targets.duration = duration_->series_at(by_status, now);
  targets.size = size_->series_at(by_workload, now);
  targets.operations = operations_->series_at(by_status, now);
  targets.retries = retries_->series_at(by_workload, now);
  targets.outcome = labels.success ? bytes_->series_at(by_workload, now) : errors_->series_at(by_code, now);
  targets.overflows = targets.duration->is_overflow() || targets.size->is_overflow() ||
                      targets.operations->is_overflow() || targets.retries->is_overflow() ||
                      targets.outcome->is_overflow();
  return targets;
}

std::uint64_t OperationFamilies::generation() const {
  return duration_->generation() + size_->generation() + operations_->generation() + bytes_->generation() +
         errors_->generation() + retries_->generation();
}

void OperationFamilies::add(const OperationTargets& targets, const OperationTally& tally, bool success,
                            std::uint64_t refused, const Moment& now) {
  const std::uint64_t count = tally.count();
  const auto told = [&](auto& family, const auto& series) -> auto& {
    family.touch(series, now);
    if (series->is_overflow() && count > refused) family.count_refused(count - refused);
    return series->state;
  };
  const std::uint64_t bytes = saturated(tally.sizes.sum());
  told(*duration_, targets.duration).add_totals(count, static_cast<double>(tally.durations_ns.sum()) / 1e9);
  told(*size_, targets.size).add_totals(count, static_cast<double>(tally.sizes.sum()));
  told(*operations_, targets.operations).apply(count);
  told(*retries_, targets.retries).apply(saturated(tally.retries));
  told(success ? *bytes_ : *errors_, targets.outcome).apply(success ? bytes : count);
}

}  // namespace metricsd::server
