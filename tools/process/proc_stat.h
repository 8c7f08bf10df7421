// /proc/stat, as proc(5) describes it: the CPUs by mode, and what the kernel counts since boot.
//
//   cpu, cores           lines cpu and cpuN, in ticks: user, nice, system, idle, iowait, irq, softirq, steal;
//                        the time of guests, which follows, is in user and nice already
//   context_switches     ctxt
//   processes_forked     processes
//   processes_running    procs_running
//   processes_blocked    procs_blocked
#pragma once

#include "system_sample.h"

#include <string_view>

namespace metricsd::tools {

// Sets these figures of `sample`, and no usage_percent. False, and nothing has changed, where the
// first line is not that of all CPUs.
bool read_proc_stat(std::string_view text, SystemSample& sample);

}  // namespace metricsd::tools
