// A clock that stands still until it is told to move.
#pragma once

#include <metricsd/models/clock.h>

#include <atomic>

namespace metricsd::support {

// Any thread.
class ManualClock : public Clock {
 public:
  explicit ManualClock(Timestamp start = {1'767'225'600 * kNsPerSecond}) : wall_ns_(start.ns) {}

  [[nodiscard]] Timestamp now() const override { return {wall_ns_}; }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return monotonic_ns_; }

  void advance(std::int64_t ns) {
    wall_ns_ += ns;
    monotonic_ns_ += ns;
  }
  // Only the wall clock: what an administrator or a time server does.
  void set_wall(Timestamp at) { wall_ns_ = at.ns; }

 private:
  std::atomic<std::int64_t> wall_ns_;
  std::atomic<std::int64_t> monotonic_ns_{0};
};

}  // namespace metricsd::support
