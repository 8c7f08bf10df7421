// The processor's own clock: read in a third of the time that steady_clock takes, in ticks of unknown length
// (counter_timeline.h turns them into time).
//
// Where the processor has no counter that runs at one rate on all cores, steady_clock stands in.
#pragma once

#include <metricsd/ipc/segment_layout.h>

#include <cstdint>

namespace metricsd::ipc {

namespace raw_counter {

// Of this machine; the same for the life of the process.
[[nodiscard]] CounterKind kind() noexcept;
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

}  // namespace metricsd::ipc
