// Whether /proc shows the processes that a program would measure by the numbers it knows them by.
#pragma once

#include <filesystem>
#include <string>

#include <sys/types.h>

namespace metricsd::tools {

// "" where it does, else why not: there is none, or it is of another PID namespace, in which the same numbers
// are other processes (`unshare --pid` without `--mount-proc`). `self` is the caller's own number.
[[nodiscard]] std::string fault_of_proc(const std::filesystem::path& proc, pid_t self);

}  // namespace metricsd::tools
