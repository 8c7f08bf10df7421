#include "group_witness.h"

#include <metricsd/models/clock.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

constexpr std::int64_t kSettleNs = 20 * kNsPerMs;  // from the first to the last of those who are signalled
constexpr int kAnswerMs = 200;  // of a machine that is so busy that the witness has not run
constexpr int kEndMs = 1000;
constexpr std::size_t kMostKept = 256;

// Then every orphan below us becomes our child, the witness, too.
bool adopts_orphans() {
  int is_subreaper = 0;
  ::prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper);
  return is_subreaper != 0 || ::getpid() == 1;
}

bool is_queued(std::uint32_t signal) {
  return static_cast<int>(signal) >= SIGRTMIN;
}

}  // namespace

GroupWitness GroupWitness::start() {
  std::array<int, 2> ends{};
  if (adopts_orphans() || ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return {};
  GroupWitness witness((UniqueFd(ends[0])));
  UniqueFd theirs(ends[1]);
  const pid_t between = ::fork();
  if (between == 0) {
    if (::fork() == 0) stand_by(theirs.get());
    ::_exit(0);
  }
  theirs = UniqueFd();
  while (between > 0 && ::waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (witness.hear(kEndMs) && witness.pid_ != 0) {
    witness.process_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, witness.pid_, 0)));
  }
  if (!witness.process_.valid()) witness.link_ = UniqueFd();  // at the end of which it ends
  return witness;
}

GroupWitness::~GroupWitness() {
  if (!process_.valid()) return;
  ::syscall(SYS_pidfd_send_signal, process_.get(), SIGKILL, nullptr, 0);  // it may have been stopped
  pollfd ended{process_.get(), POLLIN, 0};
  ::poll(&ended, 1, kEndMs);
}

// In the witness. Says its pid, then each signal that a process sent, and 0 whenever it is asked and has said
// all.
void GroupWitness::stand_by(int link) {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  ::dup2(link, 0);
  ::close_range(1, ~0U, 0);
  ::prctl(PR_SET_NAME, "metrics-witness");
  const int signals = ::signalfd(-1, &all, SFD_NONBLOCK);
  const auto say = [](std::uint32_t signal, std::uint32_t sender) {
    const Sighting sighting{signal, sender};
    ::send(0, &sighting, sizeof sighting, MSG_NOSIGNAL | MSG_DONTWAIT);
  };
  say(0, static_cast<std::uint32_t>(::getpid()));
  for (bool begun = false;;) {
    std::array<pollfd, 2> readable{{{0, POLLIN, 0}, {signals, POLLIN, 0}}};
    ::poll(readable.data(), begun ? 2U : 1U, -1);
    char question = 0;
    const ssize_t asked = ::recv(0, &question, 1, MSG_DONTWAIT);
    if (signals < 0 || asked == 0 || (asked < 0 && errno != EAGAIN && errno != EINTR)) ::_exit(0);
    signalfd_siginfo info{};
    while (::read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (begun && info.ssi_code <= 0) say(info.ssi_signo, info.ssi_pid);
    }
    if (asked > 0) {
      begun = true;
      say(0, 0);
    }
  }
}

bool GroupWitness::has_seen(const signalfd_siginfo& signal, std::int64_t read_ns) {
  for (;;) {
    while (hear(0)) {
    }
    if (take(signal)) return true;
    const std::int64_t left = read_ns + kSettleNs - system_clock().monotonic_ns();
    if (!link_.valid() || left <= 0) break;
    hear(static_cast<int>((left + kNsPerMs - 1) / kNsPerMs));
  }
  ask();
  return take(signal);
}

void GroupWitness::forget(std::uint32_t signal) {
  while (hear(0)) {
  }
  std::erase_if(seen_, [signal](const Sighting& each) { return each.signal == signal; });
}

// Two that wait for a process become one, of whichever sender, unless they are queued: what the witness had
// twice this process may have had once.
bool GroupWitness::take(const signalfd_siginfo& signal) {
  const auto found = std::find_if(seen_.begin(), seen_.end(), [&signal](const Sighting& each) {
    return each.signal == signal.ssi_signo && each.sender == signal.ssi_pid;
  });
  if (found == seen_.end()) return false;
  if (is_queued(signal.ssi_signo)) {
    seen_.erase(found);
  } else {
    forget(signal.ssi_signo);
  }
  return true;
}

void GroupWitness::ask() {
  if (!link_.valid()) return;
  const char question = 0;
  ::send(link_.get(), &question, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  answered_ = false;
  while (!answered_ && hear(kAnswerMs)) {
  }
}

// One word of the witness. False where none came.
bool GroupWitness::hear(int timeout_ms) {
  if (!link_.valid()) return false;
  pollfd readable{link_.get(), POLLIN, 0};
  if (::poll(&readable, 1, timeout_ms) <= 0) return false;
  Sighting sighting{};
  if (::recv(link_.get(), &sighting, sizeof sighting, MSG_DONTWAIT) !=
      static_cast<ssize_t>(sizeof sighting)) {
    link_ = UniqueFd();  // it is gone
    return false;
  }
  if (sighting.signal == 0) {
    answered_ = true;
    if (sighting.sender != 0) pid_ = static_cast<pid_t>(sighting.sender);
    return true;
  }
  if (seen_.size() == kMostKept) seen_.erase(seen_.begin());
  seen_.push_back(sighting);
  return true;
}

}  // namespace metricsd::tools
