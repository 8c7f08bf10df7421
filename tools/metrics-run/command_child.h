// The command as a child process: found as a shell finds it, started with our place at the terminal and with
// the signals that we were started with.
#pragma once

#include "signal_source.h"
#include "terminal.h"

#include <string>
#include <variant>
#include <vector>

#include <sys/types.h>

namespace metricsd::tools {

// Exit codes of a shell.
inline constexpr int kNotRunnable = 126;
inline constexpr int kNotFound = 127;

// Why a command can not be run, in a shell's words and with its exit code.
struct CommandFault {
  int exit_code = 0;
  std::string why;
};

// Nothing wrong: exit_code 0. What it finds is only to be told early; exec itself decides.
[[nodiscard]] CommandFault look_for_command(const std::string& name);
[[nodiscard]] CommandFault fault_of_errno(int error);

// Becomes the command, with the environment and signals as they are. Returns only where it can not.
[[nodiscard]] CommandFault become_command(const std::vector<std::string>& command);

// The pid once exec has succeeded. `variables` are NAME=VALUE, in place of what the environment says of them.
// Throws std::system_error where there is no descriptor or no process to be had: nothing was tried then.
[[nodiscard]] std::variant<pid_t, CommandFault> start_command(const std::vector<std::string>& command,
                                                              const std::vector<std::string>& variables,
                                                              const SignalSource& signals,
                                                              Terminal& terminal);

}  // namespace metricsd::tools
