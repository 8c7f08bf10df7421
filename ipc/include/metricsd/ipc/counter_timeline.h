// What turns ticks of the raw counter into time, off the thread that read them.
#pragma once

#include <metricsd/ipc/raw_counter.h>
#include <metricsd/ipc/segment_layout.h>
#include <metricsd/models/saturating.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace metricsd::ipc {

// Time from ticks, by a line of segments through readings of both clocks: one a second, of the oldest fewer.
//
// Between two readings a moment is off by no more than these are (some 50 ns: a reading of the clocks while
// nobody interrupts), plus what the clock's rate changed between them, which the kernel holds to 500 ppm
// while it slews and far less otherwise. A duration is the difference of two moments. Any numbers may go in;
// what would not fit is held to what does. One thread.
class CounterTimeline {
 public:
  explicit CounterTimeline(const CounterReading& first) : readings_{first, first}, latest_(first) {}
  // The line that another process saved.
  explicit CounterTimeline(const CalibrationLine& line);

  // Before what was recorded up to now is converted.
  void add(const CounterReading& reading) noexcept;

  // CLOCK_MONOTONIC's reading at that tick.
  [[nodiscard]] std::int64_t monotonic_ns(std::int64_t ticks) const noexcept;
  // The wall clock's at a moment of CLOCK_MONOTONIC, as it is set now: moments stay apart by what was timed.
  [[nodiscard]] std::int64_t wall_ns(std::int64_t monotonic_ns) const noexcept;
  // The time between the first reading and the last: what it says beyond them is the better the longer it is.
  [[nodiscard]] std::int64_t length_ns() const noexcept {
    return saturating_difference(readings_[used_ - 1].monotonic_ns, readings_[0].monotonic_ns);
  }

  // For who reads the segment when nobody else can: the last segment of the line.
  void save(SegmentCalibration& calibration) const noexcept;

 private:
  static constexpr std::size_t kReadings = 64;

  void thin_out() noexcept;

  std::array<CounterReading, kReadings> readings_;  // the oldest first; `used_` of them, at least two
  std::size_t used_ = 2;
  CounterReading latest_;
};

}  // namespace metricsd::ipc
