// What a control group may have and has had.
#pragma once

#include <cstdint>
#include <optional>

namespace metricsd::tools {

// Each figure is absent where its controller is not there; each limit where none is set. A limit is the least
// of the group's own and those of the groups above it, as the kernel applies it.
struct CgroupSample {
  unsigned version = 0;  // 1 where a controller of v1 is in use
  std::optional<std::uint64_t> memory_limit_bytes;
  std::optional<std::uint64_t> memory_usage_bytes;  // with its page cache
  std::optional<std::uint64_t> oom_kills;
  std::optional<double> cpu_limit_cores;
  std::optional<double> cpu_usage_seconds;
  std::optional<std::uint64_t> cpu_periods;  // of the limit's period, in which anything ran
  std::optional<std::uint64_t> cpu_throttled_periods;
  std::optional<double> cpu_throttled_seconds;
  std::optional<std::uint64_t> processes_limit;
  std::optional<std::uint64_t> processes;  // and threads
};

}  // namespace metricsd::tools
