#include "memory_base.h"

#include "meminfo.h"
#include "pid_path.h"

#include <algorithm>
#include <string>

namespace metricsd::tools {

void MemoryBase::refresh(KernelFiles& proc, pid_t pid) {
  if (bytes_ != 0 && !proc.open(PidPath(pid, "cgroup").c_str()).valid()) return;
  const auto meminfo = proc.read("meminfo");
  const auto machine = meminfo ? decode_meminfo(*meminfo) : std::nullopt;
  const auto limit = cgroups_.memory_limit(std::to_string(pid));
  if (machine) bytes_ = machine->total_bytes;
  if (limit) bytes_ = machine ? std::min(bytes_, *limit) : *limit;
}

std::optional<double> MemoryBase::percent(std::uint64_t bytes) const {
  if (bytes_ == 0) return std::nullopt;
  return 100.0 * static_cast<double>(bytes) / static_cast<double>(bytes_);
}

}  // namespace metricsd::tools
