// The terminal that the command is to have, and who has it now.
//
// A shell gives its terminal to one process group, and that group alone is stopped by Ctrl-Z, ended by Ctrl-C
// and allowed to read. Where metrics-run leads that group (it was typed at a prompt), the command gets a
// group of its own and the terminal with it, as it would have had from the shell. Everywhere else (in a
// script, in the background, without a terminal) it stays in the group it would have been in without us. So
// it does where our output is a pipe: what reads it (a pager) is in our group, and needs the terminal.
#pragma once

#include <metricsd/models/unique_fd.h>

#include <sys/types.h>

namespace metricsd::tools {

// One thread, in which SIGTTOU is blocked.
class Terminal {
 public:
  Terminal();

  // Whether the command is to have a group of its own.
  [[nodiscard]] bool is_ours_to_give() const { return leads_; }

  // Only calls that are safe after fork(): in the child, before exec.
  void take_as_child() const noexcept;

  // Gives it to `group` where this process's own group has it. Whether `group` has it now.
  bool give_to(pid_t group);
  // Takes it back, where it was given.
  void take_back();

 private:
  UniqueFd fd_;
  bool leads_ = false;
  bool given_ = false;
};

}  // namespace metricsd::tools
