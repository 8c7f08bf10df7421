// Signals kept from the calling thread for a while, and from the threads that it starts meanwhile: these
// inherit its mask.
//
// A write beyond a file size limit raises SIGXFSZ in the thread that writes, which by default ends the
// process. One that was raised here is taken back, so that it is not delivered when the mask is restored;
// one that was pending before stays the workload's.
#pragma once

#include <csignal>

namespace metricsd {

class SignalsBlocked {
 public:
  explicit SignalsBlocked(const sigset_t& signals) noexcept;
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked();

 private:
  sigset_t before_{};
  bool was_pending_;  // SIGXFSZ
};

[[nodiscard]] sigset_t all_signals() noexcept;
[[nodiscard]] sigset_t file_size_signal() noexcept;

}  // namespace metricsd
