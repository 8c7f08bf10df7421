// Which processes a pattern names now.
#pragma once

#include "kernel_files.h"
#include "pid_listing.h"
#include "role_rules.h"

#include <filesystem>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace metricsd::tools {

// One thread.
class ProcessSearch {
 public:
  // `pattern` as in a role's rule (role_rules.h): a pid, or a shell's pattern of a name or a command line.
  ProcessSearch(const std::filesystem::path& proc, std::string_view pattern);

  // Ascending; never this process, whose own command line has the pattern in it.
  [[nodiscard]] std::vector<pid_t> find();

 private:
  KernelFiles files_;
  PidListing listing_;
  RoleRules rules_;
};

}  // namespace metricsd::tools
