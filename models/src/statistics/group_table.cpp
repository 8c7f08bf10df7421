#include "group_table.h"

#include <metricsd/models/labels.h>
#include <metricsd/models/limits.h>

#include <array>

namespace metricsd {

std::uint32_t GroupTable::look_up(std::string_view operation_type, std::string_view workload_type) {
  key_.clear();
  append_series_key(key_, std::array{operation_type, workload_type});
  if (const auto found = ids_.find(key_); found != ids_.end()) return found->second;
  if (names_.size() < limits::kSummaryGroups) return insert(operation_type, workload_type);
  // The shared pair is one more than the limit, once.
  const bool is_shared = operation_type == kOverflowLabel && workload_type == kOverflowLabel;
  return is_shared ? insert(operation_type, workload_type) : look_up(kOverflowLabel, kOverflowLabel);
}

std::uint32_t GroupTable::insert(std::string_view operation_type, std::string_view workload_type) {
  const auto id = static_cast<std::uint32_t>(names_.size());
  names_.push_back({std::string(operation_type), std::string(workload_type)});
  ids_.emplace(key_, id);
  return id;
}

}  // namespace metricsd
