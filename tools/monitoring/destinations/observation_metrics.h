// What an observation says, as figures of metric families.
#pragma once

#include "destination.h"
#include "metric_book.h"
#include "system_sample.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace metricsd::tools {

// Observations of one task, in their order. What a profile does not collect, and what could not be read, is
// not told. One thread.
class ObservationMetrics {
 public:
  // `book` outlives it.
  explicit ObservationMetrics(MetricBook& book) : book_(book) {}

  void tell(const Observation& observation);

 private:
  using Labels = std::initializer_list<std::string_view>;

  void tell_role(const RoleSample& role, const Collect& collect);
  void tell_tree(const TreeSample& tree, const Collect& collect);
  void tell_system(const SystemSample& system);
  void tell_cpu(std::string_view core, const CpuTimes& times);
  void tell_memory(const MemorySample& memory);
  void tell_disk(const DiskSample& disk);
  void tell_network(const NetworkSample& network);
  void tell_pressure(const PressureSample& pressure);

  // A counter's figure, which is what it has come to so far; each label but the first, which is the job.
  void total(const MetricFamily& counter, Labels labels, double value);
  void gauge(const MetricFamily& gauge, Labels labels, double value);
  // The two directions of a counter.
  void both(const MetricFamily& counter, std::string_view device, std::string_view one, double one_value,
            std::string_view other, double other_value);
  [[nodiscard]] LabelSpan with_job(Labels labels);

  MetricBook& book_;
  std::string_view job_;  // while tell() runs
  std::vector<std::string_view> labels_;
  std::unordered_map<const MetricFamily*, std::unordered_map<std::string, double>>
      totals_;  // as they were told
  std::string key_;
};

}  // namespace metricsd::tools
