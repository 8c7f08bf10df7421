#include "supervisor.h"

#include "command_child.h"
#include "kernel_files.h"
#include "pid_path.h"
#include "pid_stat.h"
#include "program_end.h"
#include "roots.h"

#include <algorithm>
#include <cstring>

#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

// The parent of a living process; 0 of one that is gone.
pid_t parent_of(KernelFiles& proc, pid_t pid) {
  const auto text = proc.read(PidPath(pid, "stat").c_str());
  const auto stat = text ? decode_pid_stat(*text) : std::nullopt;
  return stat ? stat->parent : 0;
}

// All descendants of this process are the command's.
bool is_of_command(pid_t pid) {
  constexpr int kDeepest = 256;
  KernelFiles proc(Roots{}.proc);
  for (int depth = 0; depth < kDeepest && pid > 1; ++depth) {
    pid = parent_of(proc, pid);
    if (pid == ::getpid()) return true;
  }
  return false;
}

void send(pid_t pid, const signalfd_siginfo& signal) {
  const int number = static_cast<int>(signal.ssi_signo);
  if (signal.ssi_code != SI_QUEUE) {
    ::kill(pid, number);
    return;
  }
  sigval value{};
  // NOLINTNEXTLINE(performance-no-int-to-ptr): no address to us
  value.sival_ptr = reinterpret_cast<void*>(static_cast<std::uintptr_t>(signal.ssi_ptr));
  ::sigqueue(pid, number, value);
}

bool is_stop(int signal) {
  return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

bool asks_to_end(int signal) {
  return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
}

// As Ctrl-Z at a prompt: our whole group, so that the shell sees its job stopped. A group that no shell looks
// after is not stopped; the kernel knows. Returns when it goes on.
void stop_own_group() {
  sigset_t stop = no_signals();
  ::sigaddset(&stop, SIGTSTP);
  ::kill(0, SIGTSTP);
  ::pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
}

}  // namespace

Supervisor::Supervisor(const Options& options, const SignalSource& signals, Terminal& terminal,
                       TreeSampler& sampler)
    : options_(options), signals_(signals), terminal_(terminal), sampler_(sampler) {}

void Supervisor::run(Monitor& monitor) {
  reap();
  while (!is_done()) {
    pollfd readable{signals_.fd(), POLLIN, 0};
    ::poll(&readable, 1, monitor.wait_ms());
    while (const auto signal = signals_.next()) handle(*signal);
    if (!is_done()) monitor.sample_if_due();
  }
  terminal_.take_back();
}

bool Supervisor::is_done() const {
  return status_ && (!options_.wait_for_all || !children_left_ || told_to_leave_);
}

void Supervisor::handle(const signalfd_siginfo& signal) {
  const int number = static_cast<int>(signal.ssi_signo);
  if (number == SIGCHLD) {
    reap();
  } else if (status_) {
    told_to_leave_ |= asks_to_end(number);
  } else if (signal.ssi_code == SI_KERNEL) {
    forward_from_kernel(number);
  } else if (number == SIGCONT && terminal_.is_ours_to_give()) {
    // A shell has just given us the terminal. The command goes on in stop_with_command(): a second SIGCONT
    // would undo the next Ctrl-Z, where that is typed at once.
    terminal_.give_to(options_.command);
  } else {
    forward(signal);
  }
}

void Supervisor::reap() {
  for (;;) {
    int status = 0;
    rusage usage{};
    const pid_t pid = ::wait4(-1, &status, WNOHANG | WUNTRACED, &usage);
    if (pid <= 0) {
      children_left_ = pid == 0;
      return;
    }
    if (WIFSTOPPED(status)) {
      if (pid == options_.command) stop_with_command(WSTOPSIG(status));
      continue;
    }
    note_usage(pid, usage);
    if (pid == options_.command) status_ = status;
  }
}

void Supervisor::note_usage(pid_t pid, const rusage& usage) {
  constexpr std::uint64_t kKib = 1024;
  sampler_.reaped(pid, usage);
  const std::uint64_t peak = static_cast<std::uint64_t>(usage.ru_maxrss) * kKib;
  if (peak > options_.own_peak_bytes) peak_memory_bytes_ = std::max(peak_memory_bytes_.value_or(0), peak);
}

// The shell at whose prompt we were typed waits for us, not for the command: it has the terminal back once we
// stop, too. Not where the command was stopped because it had no terminal, and a shell has given us one
// since.
void Supervisor::stop_with_command(int signal) {
  if (!terminal_.is_ours_to_give()) return;
  const bool wanted_terminal = signal == SIGTTIN || signal == SIGTTOU;
  if (!wanted_terminal || !terminal_.give_to(options_.command)) {
    terminal_.take_back();
    stop_own_group();
    terminal_.give_to(options_.command);
  }
  ::kill(-options_.command, SIGCONT);
}

// From the terminal; or an alarm(2) of before the command was there, which it would have had across
// execve(2).
void Supervisor::forward_from_kernel(int signal) {
  if (signal == SIGALRM) ::kill(options_.command, signal);
  const bool of_terminal = asks_to_end(signal) || signal == SIGTSTP || signal == SIGWINCH;
  if (of_terminal && terminal_.is_ours_to_give()) ::kill(-options_.command, signal);
}

void Supervisor::forward(const signalfd_siginfo& signal) {
  const auto sender = static_cast<pid_t>(signal.ssi_pid);
  const int number = static_cast<int>(signal.ssi_signo);
  if (sender == ::getpid() || is_of_command(sender)) return;
  if (terminal_.is_ours_to_give() && is_stop(number)) {
    ::kill(-options_.command, number);
  } else {
    send(options_.command, signal);
  }
}

int Supervisor::exit_code() const {
  const int status = status_.value_or(0);
  return WIFSIGNALED(status) ? kSignalBase + WTERMSIG(status) : WEXITSTATUS(status);
}

bool Supervisor::was_interrupted() const {
  return status_ && WIFSIGNALED(*status_) && WTERMSIG(*status_) == SIGINT;
}

std::string Supervisor::ending() const {
  const int status = status_.value_or(0);
  if (!WIFSIGNALED(status)) return "exit " + std::to_string(WEXITSTATUS(status));
  const char* const name = ::sigabbrev_np(WTERMSIG(status));
  return "ended by " +
         (name == nullptr ? "signal " + std::to_string(WTERMSIG(status)) : "SIG" + std::string(name));
}

}  // namespace metricsd::tools
