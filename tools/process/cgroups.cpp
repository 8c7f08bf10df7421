#include "cgroups.h"

#include "cgroup_v1.h"
#include "cgroup_v2.h"

namespace metricsd::tools {

std::optional<CgroupSample> Cgroups::read(std::string_view process) {
  const CgroupDirectories groups = finder_.find(process);
  if (groups.empty()) return std::nullopt;
  CgroupSample sample;
  if (groups.unified) read_cgroup_v2(files_, *groups.unified, sample);
  // A hierarchy of v2 without controllers stands beside those of v1 on many machines, with a cpu.stat of its
  // own.
  if (groups.has_v1()) read_cgroup_v1(files_, groups, sample);
  return sample;
}

std::optional<std::uint64_t> Cgroups::memory_limit(std::string_view process) {
  const CgroupDirectories groups = finder_.find(process);
  if (groups.memory) return memory_limit_v1(files_, *groups.memory);
  return groups.unified ? memory_limit_v2(files_, *groups.unified) : std::nullopt;
}

}  // namespace metricsd::tools
