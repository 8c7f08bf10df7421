// The control groups of a process: v2, and v1 for the controllers that are there. Both may be in use at once.
#pragma once

#include "cgroup_files.h"
#include "cgroup_finder.h"
#include "cgroup_sample.h"
#include "roots.h"

#include <optional>
#include <string_view>

namespace metricsd::tools {

// One thread.
class Cgroups {
 public:
  explicit Cgroups(const Roots& roots) : finder_(roots) {}

  // Of a directory of /proc: a pid, or "self". Nothing where none of its groups can be seen from here.
  [[nodiscard]] std::optional<CgroupSample> read(std::string_view process);
  // Of these figures the limit alone.
  [[nodiscard]] std::optional<std::uint64_t> memory_limit(std::string_view process);

 private:
  CgroupFinder finder_;
  CgroupFiles files_;
};

}  // namespace metricsd::tools
