#include "detached_process.h"

#include <metricsd/ipc/endpoint.h>
#include <metricsd/models/unique_fd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

constexpr std::chrono::seconds kGrace{2};
constexpr std::chrono::milliseconds kLookInterval{10};

// In the child: becomes the program, or tells errno. Only calls that are safe after fork().
[[noreturn]] void become(char* const* arguments, int log, int error_pipe) {
  ::setsid();
  const int null = ::open("/dev/null", O_RDONLY);
  if (null >= 0) ::dup2(null, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  // A pipe of our caller must not stay open for as long as the daemon lives. (Kernels before 5.11 do not know
  // it.)
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  ::execvp(arguments[0], arguments);
  const int error = errno;
  [[maybe_unused]] const ssize_t told = ::write(error_pipe, &error, sizeof error);
  ::_exit(127);
}

// 0 once exec succeeded, which closes the pipe.
int read_exec_error(int pipe) {
  int error = 0;
  while (::read(pipe, &error, sizeof error) < 0 && errno == EINTR) {
  }
  return error;
}

std::vector<char*> argument_pointers(std::vector<std::string>& command) {
  std::vector<char*> pointers;
  pointers.reserve(command.size() + 1);
  for (std::string& word : command) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Result<DetachedProcess> DetachedProcess::start(const std::vector<std::string>& command,
                                               const std::filesystem::path& log) {
  const UniqueFd log_file(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!log_file.valid()) return last_system_error();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return last_system_error();
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);

  std::vector<std::string> words = command;
  const std::vector<char*> arguments = argument_pointers(words);
  const pid_t pid = ::fork();
  if (pid < 0) return last_system_error();
  if (pid == 0) become(arguments.data(), log_file.get(), write_end.get());
  write_end = UniqueFd();

  if (const int error = read_exec_error(read_end.get()); error != 0) {
    ::waitpid(pid, nullptr, 0);
    return error_code(error, boost::system::system_category());
  }
  return DetachedProcess(pid);
}

bool DetachedProcess::runs() {
  if (!ended_) ended_ = ::waitpid(pid_, nullptr, WNOHANG) == pid_;
  return !ended_;
}

void DetachedProcess::end() {
  ::kill(pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + kGrace;
  while (runs() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(kLookInterval);
  if (ended_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ended_ = true;
}

}  // namespace metricsd::tools
