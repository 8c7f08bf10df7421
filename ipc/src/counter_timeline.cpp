#include <metricsd/ipc/counter_timeline.h>
#include <metricsd/models/saturating.h>
#include <metricsd/models/timestamp.h>

#include <algorithm>

namespace metricsd::ipc {
namespace {

constexpr std::int64_t kSpacingNs = kNsPerSecond;

// On the line through both, also beyond them.
std::int64_t on_line(const CounterReading& from, const CounterReading& to, std::int64_t ticks) {
  const auto length = static_cast<double>(saturating_difference(to.ticks, from.ticks));
  const auto time = static_cast<double>(saturating_difference(to.monotonic_ns, from.monotonic_ns));
  const double rate = length > 0 ? time / length : 1;
  constexpr double kFarthest = 4e18;
  const double ns =
      std::clamp(static_cast<double>(saturating_difference(ticks, from.ticks)) * rate, -kFarthest, kFarthest);
  return saturating_sum(from.monotonic_ns, static_cast<std::int64_t>(ns + (ns < 0 ? -0.5 : 0.5)));
}

}  // namespace

CounterTimeline::CounterTimeline(const CalibrationLine& line)
    : CounterTimeline(CounterReading{line.first_ticks, line.first_monotonic_ns,
                                     saturating_sum(line.first_monotonic_ns, line.wall_minus_monotonic_ns)}) {
  latest_ = {line.last_ticks, line.last_monotonic_ns,
             saturating_sum(line.last_monotonic_ns, line.wall_minus_monotonic_ns)};
  readings_[1] = latest_;
}

void CounterTimeline::add(const CounterReading& reading) noexcept {
  latest_ = reading;
  // The last one is provisional: it moves along until it is far enough from the one before it.
  readings_[used_ - 1] = reading;
  if (saturating_difference(reading.monotonic_ns, readings_[used_ - 2].monotonic_ns) < kSpacingNs) return;
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

std::int64_t CounterTimeline::wall_ns(std::int64_t monotonic_ns) const noexcept {
  return saturating_sum(monotonic_ns, saturating_difference(latest_.wall_ns, latest_.monotonic_ns));
}

void CounterTimeline::save(SegmentCalibration& calibration) const noexcept {
  std::size_t from = used_ - 2;
  if (readings_[from + 1].ticks == readings_[from].ticks && from > 0) --from;
  const std::uint32_t next = 1 - (calibration.current.load(std::memory_order_relaxed) & 1);
  calibration.counter = raw_counter::kind();
  calibration.lines[next] = {.first_ticks = readings_[from].ticks,
                             .first_monotonic_ns = readings_[from].monotonic_ns,
                             .last_ticks = readings_[from + 1].ticks,
                             .last_monotonic_ns = readings_[from + 1].monotonic_ns,
                             .wall_minus_monotonic_ns = latest_.wall_ns - latest_.monotonic_ns};
  calibration.current.store(next, std::memory_order_release);
}

}  // namespace metricsd::ipc
