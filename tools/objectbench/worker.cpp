#include "worker.h"

#include "run_options.h"
#include "user.h"

#include <metricsd/client/collector.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

constexpr int kCouldNotJoin = 3;

// The text that the parent writes before it closes its end; empty where it closes at once.
std::string wait_for_word(int fd) {
  std::string word;
  std::array<char, 512> block{};
  for (;;) {
    const ssize_t bytes = ::read(fd, block.data(), block.size());
    if (bytes > 0) word.append(block.data(), static_cast<std::size_t>(bytes));
    if (bytes == 0 || (bytes < 0 && errno != EINTR)) return word;
  }
}

void run_users(const BenchOptions& options, unsigned number, client::Collector& run,
               SharedProgress& progress) {
  const auto deadline = std::chrono::steady_clock::now() +
                        std::chrono::duration_cast<std::chrono::steady_clock::duration>(options.duration);
  std::vector<UserTask> tasks;
  tasks.reserve(options.users);
  for (unsigned i = 0; i < options.users; ++i) {
    tasks.push_back({options, run, progress, deadline, number * options.users + i});
  }
  run.set_users(options.users);
  std::vector<std::thread> users;
  users.reserve(tasks.size());
  for (const UserTask& task : tasks) users.emplace_back(run_user, std::cref(task));
  for (std::thread& user : users) user.join();
  run.set_users(0);
}

int worker_main(const BenchOptions& options, unsigned number, SharedProgress& progress, int go) {
  // If the parent is killed, the users still end well and the run's files are made by the last worker.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  const std::string directory = wait_for_word(go);
  if (directory.empty()) return 0;
  ::setenv("METRICSD_RUN_DIR", directory.c_str(), 1);

  client::Collector run(run_options(options, options.users));
  if (!run) {
    std::fprintf(stderr, "objectbench: process %u: %s\n", number, run.error().c_str());
    return kCouldNotJoin;
  }
  run_users(options, number, run, progress);
  const client::Report report = run.finish();
  for (const std::string& problem : report.problems)
    std::fprintf(stderr, "objectbench: %s\n", problem.c_str());
  return report.problems.empty() ? 0 : 1;
}

}  // namespace

Workers::Workers(const BenchOptions& options, SharedProgress& progress) {
  for (unsigned number = 0; number < options.processes; ++number) {
    std::array<int, 2> go{};
    const bool piped = ::pipe2(go.data(), O_CLOEXEC) == 0;
    const pid_t pid = piped ? ::fork() : -1;
    if (pid == 0) {
      ::close(go[1]);
      for (const Worker& earlier : workers_) ::close(earlier.go);
      ::_exit(worker_main(options, number, progress, go[0]));
    }
    if (piped) ::close(go[0]);
    if (pid < 0) {
      problems_.push_back("process " + std::to_string(number) + " could not start: " + std::strerror(errno));
      if (piped) ::close(go[1]);
      continue;
    }
    workers_.push_back({pid, number, go[1]});
  }
}

Workers::~Workers() {
  for (const Worker& worker : workers_) {
    if (worker.go >= 0) ::close(worker.go);
  }
  for (const Worker& worker : workers_) {
    while (::waitpid(worker.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

void Workers::begin(const std::filesystem::path& run_directory) {
  const std::string directory = std::filesystem::absolute(run_directory).string();
  for (Worker& worker : workers_) {
    // A worker that is gone is noticed when it is waited for.
    [[maybe_unused]] const ssize_t written = ::write(worker.go, directory.data(), directory.size());
    ::close(worker.go);
    worker.go = -1;
  }
}

bool Workers::any_left() {
  std::erase_if(workers_, [this](const Worker& worker) {
    int status = 0;
    if (::waitpid(worker.pid, &status, WNOHANG) != worker.pid) return false;
    note_end(worker, status);
    return true;
  });
  return !workers_.empty();
}

void Workers::note_end(const Worker& worker, int status) {
  const std::string who =
      "process " + std::to_string(worker.number) + " (pid " + std::to_string(worker.pid) + ")";
  if (WIFSIGNALED(status)) {
    problems_.push_back(who + " was killed by signal " + std::to_string(WTERMSIG(status)) + " (" +
                        ::strsignal(WTERMSIG(status)) + ")");
  } else if (WEXITSTATUS(status) != 0) {
    problems_.push_back(who + " failed");
  }
}

}  // namespace metricsd::tools
