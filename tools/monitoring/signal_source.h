// A process's signals as something to wait for and read, instead of handlers.
#pragma once

#include <metricsd/models/unique_fd.h>

#include <csignal>
#include <optional>

#include <sys/signalfd.h>

namespace metricsd::tools {

// Made before the process's other threads, which then have all signals blocked, too. SIGCHLD gets its default
// disposition, without which a child's end is not told. Those of faults and those in `left_alone` stay as
// they are.
class SignalSource {
 public:
  // Throws std::system_error where there is no descriptor for it; signals are as they were before then.
  explicit SignalSource(const sigset_t& left_alone);
  SignalSource(const SignalSource&) = delete;
  SignalSource& operator=(const SignalSource&) = delete;

  // Readable while a signal waits.
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::optional<signalfd_siginfo> next() const;

  // Only calls that are safe after fork(): the process's signals as they were before.
  void restore() const noexcept;

 private:
  sigset_t mask_before_{};
  struct sigaction child_before_ {};
  UniqueFd fd_;
};

[[nodiscard]] sigset_t no_signals();

}  // namespace metricsd::tools
