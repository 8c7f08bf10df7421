// Children of a test that cost what they are told to.
#pragma once

#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <stdexcept>
#include <thread>
#include <utility>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::tools {

using std::chrono::milliseconds;

// Burns so much CPU time of the calling thread, however long that takes.
inline void burn(milliseconds cpu) {
  const auto now = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  const auto end = now() + cpu;
  while (now() < end) {
  }
}

// Runs act() in a child, which ends with what it returns.
template <class Act>
pid_t start_child(Act act) {
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid > 0) return pid;
  ::_exit(act());
}

// For children of children: how it ended.
inline int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

inline double seconds_of(const rusage& usage) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// A child that is waited for in two steps: that it has ended, and what it cost.
class RealChild {
 public:
  template <class Act>
  explicit RealChild(Act act) : pid_(start_child(std::move(act))) {}
  RealChild(const RealChild&) = delete;
  RealChild& operator=(const RealChild&) = delete;
  ~RealChild() {
    if (is_reaped_) return;
    ::kill(pid_, SIGKILL);
    wait_for(pid_);
  }

  [[nodiscard]] pid_t pid() const { return pid_; }

  // Calls each() every `interval` until the child is a zombie.
  template <class Each>
  void until_it_ends(milliseconds interval, Each each) {
    siginfo_t info{};
    for (;;) {
      info.si_pid = 0;
      if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT | WNOHANG) != 0 ||
          info.si_pid == pid_)
        return;
      each();
      std::this_thread::sleep_for(interval);
    }
  }

  // Waits for it: what it and those it waited for cost, and how it ended.
  rusage reap(int* status = nullptr) {
    rusage usage{};
    int how = 0;
    while (::wait4(pid_, &how, 0, &usage) < 0 && errno == EINTR) {
    }
    is_reaped_ = true;
    if (status != nullptr) *status = how;
    return usage;
  }

 private:
  pid_t pid_;
  bool is_reaped_ = false;
};

}  // namespace metricsd::tools
