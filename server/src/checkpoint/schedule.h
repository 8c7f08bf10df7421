// When the next checkpoint is due: an interval after the one before began, or sooner where someone waits for
// it; and not so soon that the work of making them would take more than a twentieth of the time.
#pragma once

#include <metricsd/models/timestamp.h>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace metricsd::server {

// One thread at a time; times are of one monotonic clock.
class CheckpointSchedule {
 public:
  CheckpointSchedule(std::int64_t interval_ns, std::int64_t now_ns)
      : interval_ns_(std::min(interval_ns, kLongest)), began_ns_(now_ns), rested_ns_(now_ns) {}

  // Someone waits for the next one. Who asks while one is made waits for the one after it.
  void ask() { is_asked_ = true; }
  void begin(std::int64_t now_ns) {
    began_ns_ = now_ns;
    is_asked_ = false;
  }
  // `worked_ns` is what it took of others: of a processor, and of senders' time. What it waited for a disk
  // costs nobody anything, and is no reason to be late with the next one as well.
  void end(std::int64_t now_ns, std::int64_t worked_ns) {
    rested_ns_ = now_ns + std::min(kRest * std::clamp<std::int64_t>(worked_ns, 0, kLongest), kLongestRest);
  }
  // After a failure nobody is served sooner.
  void forget_asked() { is_asked_ = false; }

  [[nodiscard]] std::int64_t due_ns() const {
    return std::max(is_asked_ ? began_ns_ : began_ns_ + interval_ns_, rested_ns_);
  }
  // The next one, or the one that is being made, should have been done long since.
  [[nodiscard]] bool is_late(std::int64_t now_ns) const {
    return now_ns - due_ns() > std::max(kLateIntervals * interval_ns_, kLateAtLeast);
  }

 private:
  static constexpr std::int64_t kRest = 19;  // times the work of one: then it was a twentieth
  // Senders keep what they have sent until it is durable: longer than this it would not fit.
  static constexpr std::int64_t kLongestRest = 10 * kNsPerSecond;
  static constexpr std::int64_t kLateIntervals = 5;
  static constexpr std::int64_t kLateAtLeast = 5 * kNsPerSecond;
  static constexpr std::int64_t kLongest = std::numeric_limits<std::int64_t>::max() / (4 * kRest);  // 3 years

  const std::int64_t interval_ns_;
  std::int64_t began_ns_;   // the last one
  std::int64_t rested_ns_;  // from then on another may begin
  bool is_asked_ = false;
};

}  // namespace metricsd::server
