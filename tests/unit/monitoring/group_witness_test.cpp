#include "group_witness.h"

#include "signal_source.h"

#include <metricsd/models/clock.h>

#include <csignal>
#include <functional>
#include <optional>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::tools {
namespace {

// The steps are numbered: the exit code of a process of its own, with a group of its own, is the first that
// was not so; 0 where all were.
int first_failure(const std::function<int()>& steps) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setpgid(0, 0);
    ::_exit(steps());
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct Stage {
  SignalSource signals{no_signals()};
  GroupWitness witness = GroupWitness::start();

  // Whether the witness has seen the next signal; nothing where there is none, or another.
  std::optional<bool> has_seen_next(int number) {
    pollfd readable{signals.fd(), POLLIN, 0};
    ::poll(&readable, 1, 10'000);
    while (const auto signal = signals.next()) {
      if (signal->ssi_signo == SIGCHLD) continue;  // of the witness's beginning
      if (static_cast<int>(signal->ssi_signo) != number) return std::nullopt;
      return witness.has_seen(*signal, system_clock().monotonic_ns());
    }
    return std::nullopt;
  }
};

TEST(GroupWitness, TellsWhatTheGroupHadFromWhatOneHad) {
  EXPECT_EQ(first_failure([] {
              Stage stage;
              stage.witness.begin();
              ::kill(0, SIGUSR1);
              if (stage.has_seen_next(SIGUSR1) != true) return 1;
              ::kill(::getpid(), SIGUSR1);
              if (stage.has_seen_next(SIGUSR1) != false) return 2;
              ::kill(0, SIGTERM);
              if (stage.has_seen_next(SIGTERM) != true) return 3;
              return 0;
            }),
            0);
}

TEST(GroupWitness, WhatCameBeforeItBeganDoesNotCount) {
  EXPECT_EQ(first_failure([] {
              Stage stage;
              ::kill(0, SIGUSR1);
              stage.witness.begin();
              if (stage.has_seen_next(SIGUSR1) != false) return 1;
              return 0;
            }),
            0);
}

TEST(GroupWitness, WhatBecameOneHereIsForgottenAsOne) {
  EXPECT_EQ(first_failure([] {
              Stage stage;
              stage.witness.begin();
              for (int i = 0; i < 3; ++i) {
                ::kill(0, SIGUSR2);
                ::usleep(10'000);  // the witness reads each; this process all of them as one
              }
              if (stage.has_seen_next(SIGUSR2) != true) return 1;
              ::kill(::getpid(), SIGUSR2);
              if (stage.has_seen_next(SIGUSR2) != false) return 2;
              return 0;
            }),
            0);
}

TEST(GroupWitness, EndsWithItsOwnerEvenWhereItIsStopped) {
  EXPECT_EQ(first_failure([] {
              const pid_t owner = ::fork();
              if (owner == 0) {
                ::setpgid(0, 0);
                {
                  Stage stage;
                  stage.witness.begin();
                  ::kill(0, SIGSTOP);  // both; the owner alone goes on
                }
                ::_exit(0);
              }
              int status = 0;
              ::waitpid(owner, &status, WUNTRACED);
              if (!WIFSTOPPED(status)) return 2;
              ::kill(owner, SIGCONT);
              ::waitpid(owner, &status, 0);
              // Until whoever reaps orphans has done so, nobody is left in the group.
              for (int i = 0; i < 1000 && ::kill(-owner, 0) == 0; ++i) ::usleep(10'000);
              return ::kill(-owner, 0) == -1 ? 0 : 3;
            }),
            0);
}

TEST(GroupWitness, OneThatCouldNotBeHadSeesNothing) {
  EXPECT_EQ(first_failure([] {
              ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // it would be a child of ours
              Stage stage;
              stage.witness.begin();
              if (::waitpid(-1, nullptr, WNOHANG) != -1) return 1;
              ::kill(0, SIGUSR1);
              if (stage.has_seen_next(SIGUSR1) != false) return 2;
              return 0;
            }),
            0);
}

}  // namespace
}  // namespace metricsd::tools
