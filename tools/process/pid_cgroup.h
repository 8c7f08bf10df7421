// /proc/PID/cgroup, as cgroups(7) describes it: the control groups of a process.
#pragma once

#include <optional>
#include <string_view>

namespace metricsd::tools {

// The path of the v2 group ("0::/path"); nothing where there is no such hierarchy.
[[nodiscard]] std::optional<std::string_view> unified_group(std::string_view text);
// The path of the v1 group that has this controller ("4:cpu,cpuacct:/path"); nothing where none has it.
[[nodiscard]] std::optional<std::string_view> group_of(std::string_view text, std::string_view controller);

}  // namespace metricsd::tools
