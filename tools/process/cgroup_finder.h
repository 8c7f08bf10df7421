// Where the control groups of a process are: /proc/PID/cgroup says which they are, /proc/self/mountinfo where
// they can be seen. In a container a hierarchy's mount may begin far below its root.
#pragma once

#include "cgroup_files.h"
#include "kernel_files.h"
#include "roots.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::tools {

struct CgroupDirectories {
  std::optional<CgroupDirectory> unified;                     // v2
  std::optional<CgroupDirectory> memory, cpu, cpuacct, pids;  // v1, by controller

  [[nodiscard]] bool has_v1() const { return memory || cpu || cpuacct || pids; }
  [[nodiscard]] bool empty() const { return !unified && !has_v1(); }
};

// One thread.
class CgroupFinder {
 public:
  // Sees what is mounted now.
  explicit CgroupFinder(const Roots& roots);

  // `process` is a directory of /proc: a pid, or "self".
  [[nodiscard]] CgroupDirectories find(std::string_view process);

 private:
  struct Hierarchy {
    std::string root;         // what of it is mounted
    std::string point;        // where
    std::string controllers;  // of v1
    bool is_unified = false;
  };

  void add_mount(std::string_view line, const Roots& roots);

  KernelFiles proc_;
  std::vector<Hierarchy> hierarchies_;
};

}  // namespace metricsd::tools
