#include <metricsd/ipc/raw_counter.h>

#include <chrono>
#include <limits>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace metricsd::ipc {
namespace {

using std::chrono::duration_cast;
using std::chrono::nanoseconds;

constexpr int kAttempts = 5;

CounterKind find_kind() noexcept {
#if defined(__x86_64__)
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  constexpr unsigned kInvariant = 1U << 8;
  if (__get_cpuid(0x80000007U, &a, &b, &c, &d) != 0 && (d & kInvariant) != 0) return CounterKind::tsc;
  return CounterKind::steady_clock;
#elif defined(__aarch64__)
  return CounterKind::cntvct;
#else
  return CounterKind::steady_clock;
#endif
}

std::int64_t steady_ns() {
  return duration_cast<nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::int64_t realtime_ns() {
  return duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

CounterKind raw_counter::kind() noexcept {
  static const CounterKind kind = find_kind();
  return kind;
}

std::int64_t raw_counter::now() noexcept {
#if defined(__x86_64__)
  if (kind() == CounterKind::tsc) [[likely]]
    return static_cast<std::int64_t>(__rdtsc());
#elif defined(__aarch64__)
  std::int64_t ticks = 0;
  asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#endif
  return steady_ns();
}

CounterReading CounterReading::take() noexcept {
  CounterReading best;
  std::int64_t narrowest = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < kAttempts; ++i) {
    const std::int64_t before = raw_counter::now();
    const std::int64_t monotonic = steady_ns();
    const std::int64_t after = raw_counter::now();
    if (after - before >= narrowest) continue;
    narrowest = after - before;
    best = {before + (after - before) / 2, monotonic, realtime_ns()};
  }
  return best;
}

}  // namespace metricsd::ipc
