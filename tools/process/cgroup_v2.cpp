#include "cgroup_v2.h"

#include "keyed_numbers.h"
#include "text_scanner.h"

namespace metricsd::tools {

namespace {

// "50000 100000": microseconds of CPU in each period; "max 100000" without a limit.
std::optional<double> cores(CgroupFiles& files, const std::string& directory) {
  const auto text = files.text(directory, "cpu.max");
  if (!text) return std::nullopt;
  TextScanner scanner(*text);
  const auto quota = scanner.number();
  const auto period = scanner.number();
  if (!quota || !period || *period == 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<double> as_seconds(std::optional<std::uint64_t> microseconds) {
  if (!microseconds) return std::nullopt;
  return static_cast<double>(*microseconds) / 1e6;
}

}  // namespace

std::optional<std::uint64_t> memory_limit_v2(CgroupFiles& files, const CgroupDirectory& group) {
  return least_limit(group, [&](const std::string& path) { return files.number(path, "memory.max"); });
}

void read_cgroup_v2(CgroupFiles& files, const CgroupDirectory& group, CgroupSample& sample) {
  sample.version = 2;
  sample.memory_limit_bytes = memory_limit_v2(files, group);
  sample.memory_usage_bytes = files.number(group.path, "memory.current");
  sample.oom_kills = files.number(group.path, "memory.events", "oom_kill");
  sample.cpu_limit_cores = least_limit(group, [&](const std::string& path) { return cores(files, path); });
  if (const auto stat = files.text(group.path, "cpu.stat")) {
    sample.cpu_usage_seconds = as_seconds(number_of(*stat, "usage_usec"));
    sample.cpu_periods = number_of(*stat, "nr_periods");
    sample.cpu_throttled_periods = number_of(*stat, "nr_throttled");
    sample.cpu_throttled_seconds = as_seconds(number_of(*stat, "throttled_usec"));
  }
  sample.processes_limit =
      least_limit(group, [&](const std::string& path) { return files.number(path, "pids.max"); });
  sample.processes = files.number(group.path, "pids.current");
}

}  // namespace metricsd::tools
