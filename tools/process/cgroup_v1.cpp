#include "cgroup_v1.h"

#include "keyed_numbers.h"

namespace metricsd::tools {

namespace {

std::optional<double> cores(CgroupFiles& files, const std::string& directory) {
  const auto quota = files.number(directory, "cpu.cfs_quota_us");  // -1 without a limit: no such number
  const auto period = files.number(directory, "cpu.cfs_period_us");
  if (!quota || !period || *period == 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<double> as_seconds(std::optional<std::uint64_t> nanoseconds) {
  if (!nanoseconds) return std::nullopt;
  return static_cast<double>(*nanoseconds) / 1e9;
}

void read_memory(CgroupFiles& files, const CgroupDirectory& group, CgroupSample& sample) {
  sample.memory_limit_bytes = memory_limit_v1(files, group);
  sample.memory_usage_bytes = files.number(group.path, "memory.usage_in_bytes");
  sample.oom_kills = files.number(group.path, "memory.oom_control", "oom_kill");
}

void read_cpu(CgroupFiles& files, const CgroupDirectory& group, CgroupSample& sample) {
  sample.cpu_limit_cores = least_limit(group, [&](const std::string& path) { return cores(files, path); });
  if (const auto stat = files.text(group.path, "cpu.stat")) {
    sample.cpu_periods = number_of(*stat, "nr_periods");
    sample.cpu_throttled_periods = number_of(*stat, "nr_throttled");
    sample.cpu_throttled_seconds = as_seconds(number_of(*stat, "throttled_time"));
  }
}

void read_processes(CgroupFiles& files, const CgroupDirectory& group, CgroupSample& sample) {
  sample.processes_limit =
      least_limit(group, [&](const std::string& path) { return files.number(path, "pids.max"); });
  sample.processes = files.number(group.path, "pids.current");
}

}  // namespace

std::optional<std::uint64_t> memory_limit_v1(CgroupFiles& files, const CgroupDirectory& group) {
  // What the kernel shows where there is none: the greatest number of whole pages of 63 bits.
  constexpr std::uint64_t kNone = std::uint64_t{1} << 62;
  const auto limit = least_limit(
      group, [&](const std::string& path) { return files.number(path, "memory.limit_in_bytes"); });
  return limit && *limit < kNone ? limit : std::nullopt;
}

void read_cgroup_v1(CgroupFiles& files, const CgroupDirectories& groups, CgroupSample& sample) {
  sample.version = 1;
  if (groups.memory) read_memory(files, *groups.memory, sample);
  if (groups.cpu) read_cpu(files, *groups.cpu, sample);
  if (groups.pids) read_processes(files, *groups.pids, sample);
  if (!groups.cpuacct) return;
  if (const auto usage = as_seconds(files.number(groups.cpuacct->path, "cpuacct.usage"))) {
    sample.cpu_usage_seconds = usage;
  }
}

}  // namespace metricsd::tools
