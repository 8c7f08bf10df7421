// Numbers for the operation and workload types of a summary.
#pragma once

#include <metricsd/models/string_table.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd {

struct GroupName {
  std::string operation_type;
  std::string workload_type;
};

// One thread.
class GroupTable {
 public:
  // The number of this pair: 0, 1, ... in the order of appearance. Beyond limits::kSummaryGroups all new
  // pairs share the one that reads kOverflowLabel. Allocates only for a new pair.
  [[nodiscard]] std::uint32_t id_of(std::string_view operation_type, std::string_view workload_type);

  // By number.
  [[nodiscard]] const std::vector<GroupName>& names() const { return names_; }

 private:
  [[nodiscard]] std::uint32_t insert(std::string_view operation_type, std::string_view workload_type);

  StringTable<std::uint32_t> ids_;
  std::vector<GroupName> names_;
  std::string key_;  // reused, so that finding a pair allocates nothing
};

}  // namespace metricsd
