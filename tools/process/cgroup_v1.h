// The figures of v1 control groups, one for each controller (the kernel's admin-guide/cgroup-v1 and
// scheduler/sched-bwc). Times are nanoseconds.
//
//   memory_limit_bytes      memory   memory.limit_in_bytes
//   memory_usage_bytes      memory   memory.usage_in_bytes
//   oom_kills               memory   memory.oom_control, oom_kill
//   cpu_limit_cores         cpu      cpu.cfs_quota_us / cpu.cfs_period_us
//   cpu_periods             cpu      cpu.stat, nr_periods
//   cpu_throttled_periods   cpu      cpu.stat, nr_throttled
//   cpu_throttled_seconds   cpu      cpu.stat, throttled_time
//   cpu_usage_seconds       cpuacct  cpuacct.usage
//   processes_limit         pids     pids.max
//   processes               pids     pids.current
#pragma once

#include "cgroup_files.h"
#include "cgroup_finder.h"
#include "cgroup_sample.h"

namespace metricsd::tools {

// A controller that is here is not in v2: its figures replace what is in `sample`.
void read_cgroup_v1(CgroupFiles& files, const CgroupDirectories& groups, CgroupSample& sample);
[[nodiscard]] std::optional<std::uint64_t> memory_limit_v1(CgroupFiles& files, const CgroupDirectory& group);

}  // namespace metricsd::tools
