#include "command_child.h"

#include "program_search.h"

#include <metricsd/models/unique_fd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

std::vector<std::string> environment_with(const std::vector<std::string>& variables) {
  std::vector<std::string> all = variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    bool replaced = false;
    for (const std::string& variable : variables) replaced |= name_of(variable) == name_of(*entry);
    if (!replaced) all.emplace_back(*entry);
  }
  return all;
}

// What the child needs, ready before fork().
struct Prepared {
  char* const* arguments;
  char* const* environment;
  const SignalSource& signals;
  const Terminal& terminal;
  int error_pipe;
};

[[noreturn]] void become(const Prepared& prepared) {
  prepared.terminal.take_as_child();
  prepared.signals.restore();
  ::execvpe(prepared.arguments[0], prepared.arguments, prepared.environment);
  const int error = errno;
  [[maybe_unused]] const ssize_t told = ::write(prepared.error_pipe, &error, sizeof error);
  ::_exit(kNotFound);
}

// 0 once exec succeeded, which closes the pipe.
int read_exec_error(int pipe) {
  int error = 0;
  while (::read(pipe, &error, sizeof error) < 0 && errno == EINTR) {
  }
  return error;
}

}  // namespace

CommandFault fault_of_errno(int error) {
  const bool missing = error == ENOENT || error == ENOTDIR;
  return {missing ? kNotFound : kNotRunnable, std::generic_category().message(error)};
}

CommandFault look_for_command(const std::string& name) {
  const int error = program_error(name);
  if (error == 0) return {};
  const bool is_path = name.find('/') != std::string::npos;
  return error == ENOENT && !is_path ? CommandFault{kNotFound, "command not found"} : fault_of_errno(error);
}

CommandFault become_command(const std::vector<std::string>& command) {
  std::vector<std::string> words = command;
  ::execvp(words[0].c_str(), pointers_to(words).data());
  return fault_of_errno(errno);
}

std::variant<pid_t, CommandFault> start_command(const std::vector<std::string>& command,
                                                const std::vector<std::string>& variables,
                                                const SignalSource& signals, Terminal& terminal) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  std::vector<std::string> words = command;
  std::vector<std::string> environment = environment_with(variables);
  const std::vector<char*> arguments = pointers_to(words);
  const std::vector<char*> entries = pointers_to(environment);

  const pid_t pid = ::fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0) become({arguments.data(), entries.data(), signals, terminal, write_end.get()});
  write_end = UniqueFd();
  if (terminal.is_ours_to_give()) {
    ::setpgid(pid, pid);  // both do it: whoever of us runs first must not be too early with what follows
    terminal.give_to(pid);
  }
  if (const int error = read_exec_error(read_end.get()); error != 0) {
    ::waitpid(pid, nullptr, 0);
    terminal.take_back();
    return fault_of_errno(error);
  }
  return pid;
}

}  // namespace metricsd::tools
