#include "shared_progress.h"

#include <csignal>
#include <new>

#include <sys/mman.h>

namespace metricsd::tools {

namespace {

SharedProgress* told_by_signals = nullptr;

void on_signal(int) {
  told_by_signals->stop.store(true, std::memory_order_relaxed);
}

}  // namespace

SharedProgress* map_shared_progress() {
  void* const memory =
      ::mmap(nullptr, sizeof(SharedProgress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : new (memory) SharedProgress;
}

void stop_on_signals(SharedProgress& progress) {
  told_by_signals = &progress;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

}  // namespace metricsd::tools
