// Which role a process plays: `PID=role` or `PATTERN=role`, the first rule that fits; without one, its
// command's name.
//
// A pattern is a shell's (fnmatch(3): * ? [...]) and has to fit one of: the command's name as the kernel has
// it (15 bytes), the base name of its first argument, its command line with spaces between the arguments (of
// which the first 4 KiB are looked at).
#pragma once

#include <metricsd/models/errors.h>

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace metricsd::tools {

class RoleRules {
 public:
  // Adds "pid-or-pattern=role"; what stands behind the last '='  is the role: 1 to 64 bytes of clean UTF-8.
  // Errc::missing_field without a '=' or something on either side of it, Errc::too_long,
  // Errc::invalid_characters.
  [[nodiscard]] Result<> add(std::string_view rule);

  // "" where no rule fits. `command_line` is as in /proc/PID/cmdline: arguments that end with NUL.
  [[nodiscard]] std::string_view find(pid_t pid, std::string_view comm, std::string_view command_line) const;

  // Whether find() looks at `command_line`.
  [[nodiscard]] bool has_patterns() const { return has_patterns_; }

 private:
  struct Rule {
    pid_t pid = 0;  // 0: by pattern
    std::string pattern;
    std::string role;
  };

  std::vector<Rule> rules_;
  bool has_patterns_ = false;
};

}  // namespace metricsd::tools
