// The daemon's own running time, summed over all its lives: what was idle for an hour before a restart still
// was after it, however long nobody ran, and whatever the wall clock did meanwhile.
#pragma once

#include <metricsd/models/clock.h>
#include <metricsd/models/state/state_reader.h>

#include <atomic>
#include <cstdint>

namespace metricsd::server {

// Any thread.
class RunningClock : public Clock {
 public:
  // Reads 0 now. `clock` outlives it.
  explicit RunningClock(const Clock& clock) : clock_(clock), zero_ns_(clock.monotonic_ns()) {}

  [[nodiscard]] Timestamp now() const override { return clock_.now(); }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return clock_.monotonic_ns() - zero_ns_; }

  // Reads `running_ns` now, where an earlier life ended; that is no less than it reads.
  void go_on_from(std::int64_t running_ns) { zero_ns_ = clock_.monotonic_ns() - running_ns; }

 private:
  const Clock& clock_;
  std::atomic<std::int64_t> zero_ns_;
};

// A saved moment. Fails where it is so far from all others that no number would hold the difference.
[[nodiscard]] inline std::int64_t load_running_ns(StateReader& in) {
  constexpr std::int64_t kMost = std::int64_t{1} << 60;  // 36 years
  const std::int64_t running_ns = in.i64();
  if (running_ns > kMost || running_ns < -kMost) in.fail();
  return in.failed() ? 0 : running_ns;
}

}  // namespace metricsd::server
