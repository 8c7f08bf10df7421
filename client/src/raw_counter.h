// The processor's own clock: read in a third of the time that steady_clock takes, in ticks of unknown length;
// and what turns ticks into time, off the caller's thread.
//
// Where the processor has no counter that runs at one rate on all cores, steady_clock stands in.
#pragma once

#include <metricsd/ipc/segment_layout.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace metricsd::client {

namespace raw_counter {

// Of this machine; the same for the life of the process.
[[nodiscard]] ipc::CounterKind kind() noexcept;
// Any thread.
[[nodiscard]] std::int64_t now() noexcept;

}  // namespace raw_counter

// The counter and both clocks, read at one moment.
struct CounterReading {
  std::int64_t ticks = 0;
  std::int64_t monotonic_ns = 0;
  std::int64_t wall_ns = 0;

  // The narrowest of a few attempts: a thread that loses its processor between two readings spoils one.
  [[nodiscard]] static CounterReading take() noexcept;
};

// Time from ticks, by a line of segments through readings of both clocks: one a second, of the oldest fewer.
//
// Between two readings a moment is off by no more than these are (some 50 ns: a reading of the clocks while
// nobody interrupts), plus what the clock's rate changed between them, which the kernel holds to 500 ppm
// while it slews and far less otherwise. A duration is the difference of two moments. One thread.
class CounterTimeline {
 public:
  explicit CounterTimeline(const CounterReading& first) : readings_{first, first}, latest_(first) {}

  // Before what was recorded up to now is converted.
  void add(const CounterReading& reading) noexcept;

  // CLOCK_MONOTONIC's reading at that tick.
  [[nodiscard]] std::int64_t monotonic_ns(std::int64_t ticks) const noexcept;
  // The wall clock's at a moment of CLOCK_MONOTONIC, as it is set now: moments stay apart by what was timed.
  [[nodiscard]] std::int64_t wall_ns(std::int64_t monotonic_ns) const noexcept {
    return monotonic_ns + latest_.wall_ns - latest_.monotonic_ns;
  }

  // For who reads the segment when nobody else can: the last segment of the line.
  void save(ipc::SegmentCalibration& calibration) const noexcept;

 private:
  static constexpr std::size_t kReadings = 64;

  void thin_out() noexcept;

  std::array<CounterReading, kReadings> readings_;  // the oldest first; `used_` of them, at least two
  std::size_t used_ = 2;
  CounterReading latest_;
};

}  // namespace metricsd::client
