// Time as a dependency, so that a test can hold it.
#pragma once

#include <metricsd/models/timestamp.h>

#include <cstdint>

namespace metricsd {

// Any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  // The wall clock: may jump.
  [[nodiscard]] virtual Timestamp now() const = 0;
  // Nanoseconds from an arbitrary start: never falls.
  [[nodiscard]] virtual std::int64_t monotonic_ns() const = 0;
};

// CLOCK_REALTIME and CLOCK_MONOTONIC. Lives for the whole program.
const Clock& system_clock();

}  // namespace metricsd
