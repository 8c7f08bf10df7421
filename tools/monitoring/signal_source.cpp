#include "signal_source.h"

#include <cerrno>
#include <system_error>

#include <unistd.h>

namespace metricsd::tools {

namespace {

// A thread that faults while the signal is blocked is ended by it all the same; where it is not blocked, its
// own handlers (a sanitizer's) work.
sigset_t all_but_faults(const sigset_t& left_alone) {
  sigset_t set;
  ::sigfillset(&set);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
    ::sigdelset(&set, fault);
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (::sigismember(&left_alone, signal) == 1) ::sigdelset(&set, signal);
  }
  return set;
}

}  // namespace

SignalSource::SignalSource(const sigset_t& left_alone) {
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &by_default, &child_before_);
  const sigset_t set = all_but_faults(left_alone);
  ::pthread_sigmask(SIG_BLOCK, &set, &mask_before_);
  fd_ = UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (fd_.valid()) return;
  const int error = errno;
  restore();
  throw std::system_error(error, std::generic_category(), "signalfd");
}

std::optional<signalfd_siginfo> SignalSource::next() const {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return info;
}

void SignalSource::restore() const noexcept {
  ::sigaction(SIGCHLD, &child_before_, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

sigset_t no_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  return set;
}

}  // namespace metricsd::tools
