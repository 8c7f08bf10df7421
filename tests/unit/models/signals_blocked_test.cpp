#include <metricsd/models/signals_blocked.h>

#include <csignal>
#include <thread>

#include <gtest/gtest.h>
#include <pthread.h>

namespace metricsd {
namespace {

bool is_blocked(int signal) {
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return ::sigismember(&mask, signal) == 1;
}

bool is_pending(int signal) {
  sigset_t pending;
  ::sigpending(&pending);
  return ::sigismember(&pending, signal) == 1;
}

// In a thread of its own, whose mask it may change; by default SIGXFSZ would end the process.
void in_a_thread(void (*body)()) {
  std::thread(body).join();
}

TEST(SignalsBlocked, RestoresTheMask) {
  in_a_thread([] {
    {
      const SignalsBlocked blocked(all_signals());
      EXPECT_TRUE(is_blocked(SIGTERM));
    }
    EXPECT_FALSE(is_blocked(SIGTERM));
    const SignalsBlocked blocked(file_size_signal());
    EXPECT_TRUE(is_blocked(SIGXFSZ));
    EXPECT_FALSE(is_blocked(SIGTERM));
  });
}

TEST(SignalsBlocked, TakesBackWhatAWriteRaised) {
  in_a_thread([] {
    {
      const SignalsBlocked blocked(file_size_signal());
      ::pthread_kill(::pthread_self(), SIGXFSZ);
    }
    EXPECT_FALSE(is_pending(SIGXFSZ));
  });
}

TEST(SignalsBlocked, LeavesWhatWasPendingBefore) {
  in_a_thread([] {
    const SignalsBlocked workload(file_size_signal());
    ::pthread_kill(::pthread_self(), SIGXFSZ);
    { const SignalsBlocked blocked(file_size_signal()); }
    EXPECT_TRUE(is_pending(SIGXFSZ));
  });
}

}  // namespace
}  // namespace metricsd
