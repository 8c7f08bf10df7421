// What memory_usage_percent is of: the memory limit of a process's control group, or the machine's memory
// (/proc/meminfo, MemTotal) where none is set that is less.
#pragma once

#include "cgroups.h"
#include "kernel_files.h"
#include "roots.h"

#include <cstdint>
#include <optional>

#include <sys/types.h>

namespace metricsd::tools {

// One thread.
class MemoryBase {
 public:
  explicit MemoryBase(const Roots& roots) : cgroups_(roots) {}

  // Reads both again; `pid` lives. Where it has just ended, what is known stays.
  void refresh(KernelFiles& proc, pid_t pid);
  // Nothing where there is nothing to compare with.
  [[nodiscard]] std::optional<double> percent(std::uint64_t bytes) const;

 private:
  Cgroups cgroups_;
  std::uint64_t bytes_ = 0;
};

}  // namespace metricsd::tools
