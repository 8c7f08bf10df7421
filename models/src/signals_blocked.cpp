#include <metricsd/models/signals_blocked.h>

#include <cerrno>
#include <ctime>

#include <pthread.h>

namespace metricsd {
namespace {

bool file_size_signal_is_pending() noexcept {
  sigset_t pending;
  return ::sigpending(&pending) == 0 && ::sigismember(&pending, SIGXFSZ) == 1;
}

}  // namespace

SignalsBlocked::SignalsBlocked(const sigset_t& signals) noexcept {
  ::pthread_sigmask(SIG_BLOCK, &signals, &before_);
  was_pending_ = file_size_signal_is_pending();
}

SignalsBlocked::~SignalsBlocked() {
  const int error = errno;
  if (!was_pending_ && file_size_signal_is_pending()) {
    const sigset_t signal = file_size_signal();
    const timespec at_once{};
    while (::sigtimedwait(&signal, nullptr, &at_once) < 0 && errno == EINTR) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  errno = error;
}

sigset_t all_signals() noexcept {
  sigset_t signals;
  ::sigfillset(&signals);
  return signals;
}

sigset_t file_size_signal() noexcept {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGXFSZ);
  return signals;
}

}  // namespace metricsd
