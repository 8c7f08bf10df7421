#include "line_budget.h"

#include <metricsd/models/timestamp.h>

#include <limits>
#include <utility>

namespace metricsd::server {

std::optional<std::uint64_t> LineBudget::spend(std::string_view reason, std::int64_t now_ns) {
  auto found = entries_.find(reason);
  if (found == entries_.end()) {
    const Entry fresh{.next_line_ns = std::numeric_limits<std::int64_t>::min()};
    found = entries_.emplace(reason, fresh).first;
  }
  Entry& entry = found->second;
  ++entry.unlogged;
  if (now_ns < entry.next_line_ns) return std::nullopt;
  entry.next_line_ns = now_ns + kNsPerSecond;
  return std::exchange(entry.unlogged, 0);
}

}  // namespace metricsd::server
