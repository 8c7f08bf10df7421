// A v2 control group's figures (the kernel's admin-guide/cgroup-v2). Times are microseconds.
//
//   memory_limit_bytes      memory.max
//   memory_usage_bytes      memory.current
//   oom_kills               memory.events, oom_kill
//   cpu_limit_cores         cpu.max: quota / period
//   cpu_usage_seconds       cpu.stat, usage_usec
//   cpu_periods             cpu.stat, nr_periods
//   cpu_throttled_periods   cpu.stat, nr_throttled
//   cpu_throttled_seconds   cpu.stat, throttled_usec
//   processes_limit         pids.max
//   processes               pids.current
#pragma once

#include "cgroup_files.h"
#include "cgroup_sample.h"

namespace metricsd::tools {

void read_cgroup_v2(CgroupFiles& files, const CgroupDirectory& group, CgroupSample& sample);
[[nodiscard]] std::optional<std::uint64_t> memory_limit_v2(CgroupFiles& files, const CgroupDirectory& group);

}  // namespace metricsd::tools
