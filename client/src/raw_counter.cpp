#include "raw_counter.h"

#include <metricsd/models/clock.h>

#include <algorithm>
#include <chrono>
#include <limits>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace metricsd::client {
namespace {

using std::chrono::duration_cast;
using std::chrono::nanoseconds;

constexpr std::int64_t kSpacingNs = kNsPerSecond;
constexpr int kAttempts = 5;

ipc::CounterKind find_kind() noexcept {
#if defined(__x86_64__)
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  constexpr unsigned kInvariant = 1U << 8;
  if (__get_cpuid(0x80000007U, &a, &b, &c, &d) != 0 && (d & kInvariant) != 0) return ipc::CounterKind::tsc;
  return ipc::CounterKind::steady_clock;
#elif defined(__aarch64__)
  return ipc::CounterKind::cntvct;
#else
  return ipc::CounterKind::steady_clock;
#endif
}

std::int64_t steady_ns() {
  return duration_cast<nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::int64_t realtime_ns() {
  return duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// On the line through both, also beyond them. Saturates: the ticks may be anything.
std::int64_t on_line(const CounterReading& from, const CounterReading& to, std::int64_t ticks) {
  std::int64_t ahead = 0;
  if (__builtin_sub_overflow(ticks, from.ticks, &ahead)) {
    ahead = ticks < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
  }
  const auto length = static_cast<double>(to.ticks - from.ticks);
  const double rate = length > 0 ? static_cast<double>(to.monotonic_ns - from.monotonic_ns) / length : 1;
  constexpr double kFarthest = 4e18;
  const double ns = std::clamp(static_cast<double>(ahead) * rate, -kFarthest, kFarthest);
  return from.monotonic_ns + static_cast<std::int64_t>(ns + (ns < 0 ? -0.5 : 0.5));
}

}  // namespace

ipc::CounterKind raw_counter::kind() noexcept {
  static const ipc::CounterKind kind = find_kind();
  return kind;
}

std::int64_t raw_counter::now() noexcept {
#if defined(__x86_64__)
  if (kind() == ipc::CounterKind::tsc) [[likely]]
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

void CounterTimeline::add(const CounterReading& reading) noexcept {
  latest_ = reading;
  // The last one is provisional: it moves along until it is far enough from the one before it.
  readings_[used_ - 1] = reading;
  if (reading.monotonic_ns - readings_[used_ - 2].monotonic_ns < kSpacingNs) return;
  if (used_ == kReadings) thin_out();
  readings_[used_++] = reading;
}

// Every second one of the older half goes: what began long ago lasts long, and bears a coarser line.
void CounterTimeline::thin_out() noexcept {
  constexpr std::size_t kOld = kReadings / 2;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < used_; ++i) {
    if (i < kOld && i % 2 == 1) continue;
    readings_[kept++] = readings_[i];
  }
  used_ = kept;
}

std::int64_t CounterTimeline::monotonic_ns(std::int64_t ticks) const noexcept {
  std::size_t from = used_ - 2;
  while (from > 0 && ticks < readings_[from].ticks) --from;
  // Just after a reading was kept, the last two are the same.
  if (readings_[from + 1].ticks == readings_[from].ticks && from > 0) --from;
  return on_line(readings_[from], readings_[from + 1], ticks);
}

void CounterTimeline::save(ipc::SegmentCalibration& calibration) const noexcept {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  std::size_t from = used_ - 2;
  if (readings_[from + 1].ticks == readings_[from].ticks && from > 0) --from;
  const CounterReading& first = readings_[from];
  const CounterReading& last = readings_[from + 1];
  const std::uint32_t version = calibration.version.load(kRelaxed);
  calibration.version.store(version + 1, kRelaxed);
  std::atomic_thread_fence(std::memory_order_release);
  calibration.counter = raw_counter::kind();
  calibration.first_ticks.store(first.ticks, kRelaxed);
  calibration.first_monotonic_ns.store(first.monotonic_ns, kRelaxed);
  calibration.last_ticks.store(last.ticks, kRelaxed);
  calibration.last_monotonic_ns.store(last.monotonic_ns, kRelaxed);
  calibration.wall_minus_monotonic_ns.store(latest_.wall_ns - latest_.monotonic_ns, kRelaxed);
  calibration.version.store(version + 2, std::memory_order_release);
}

}  // namespace metricsd::client
