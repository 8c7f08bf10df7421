// Numbers for the operation and workload types of a summary.
#pragma once

#include <metricsd/models/string_table.h>

#include <array>
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
  [[nodiscard]] std::uint32_t id_of(std::string_view operation_type, std::string_view workload_type) {
    std::uint32_t& recent = recent_[place_of(operation_type, workload_type)];
    if (recent < names_.size() && names_[recent].operation_type == operation_type &&
        names_[recent].workload_type == workload_type) {
      return recent;
    }
    return recent = look_up(operation_type, workload_type);
  }

  // By number.
  [[nodiscard]] const std::vector<GroupName>& names() const { return names_; }

 private:
  static constexpr std::size_t kRecent = 64;

  // A run has few pairs, and operations by the million: comparing a pair with the one that was last at its
  // place takes a fraction of hashing it.
  [[nodiscard]] static std::size_t place_of(std::string_view operation_type, std::string_view workload_type) {
    const auto first_of = [](std::string_view text) {
      return text.empty() ? std::size_t{0} : static_cast<unsigned char>(text.front());
    };
    return (operation_type.size() * 7 + first_of(operation_type) + workload_type.size() * 5 +
            first_of(workload_type) * 3) %
           kRecent;
  }

  [[nodiscard]] std::uint32_t look_up(std::string_view operation_type, std::string_view workload_type);
  [[nodiscard]] std::uint32_t insert(std::string_view operation_type, std::string_view workload_type);

  StringTable<std::uint32_t> ids_;
  std::vector<GroupName> names_;
  std::array<std::uint32_t, kRecent> recent_{};
  std::string key_;  // reused, so that finding a pair allocates nothing
};

}  // namespace metricsd
