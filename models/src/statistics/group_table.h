// Numbers for the operation and workload types of a summary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
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
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  [[nodiscard]] std::uint32_t insert(std::string_view operation_type, std::string_view workload_type);

  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> ids_;
  std::vector<GroupName> names_;
  std::string key_;  // reused, so that finding a pair allocates nothing
};

}  // namespace metricsd
