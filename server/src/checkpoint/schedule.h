// When the next checkpoint is due: an interval after the one before began, or sooner where someone waits for
// it; and never so soon that checkpoints would take more than a twentieth of the time.
#pragma once

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
  void end(std::int64_t now_ns) { rested_ns_ = now_ns + kRest * std::min(now_ns - began_ns_, kLongest); }
  // After a failure nobody is served sooner.
  void forget_asked() { is_asked_ = false; }

  [[nodiscard]] std::int64_t due_ns() const {
    return std::max(is_asked_ ? began_ns_ : began_ns_ + interval_ns_, rested_ns_);
  }

 private:
  static constexpr std::int64_t kRest = 19;  // times what one took: then it was a twentieth
  static constexpr std::int64_t kLongest = std::numeric_limits<std::int64_t>::max() / (4 * kRest);  // 3 years

  const std::int64_t interval_ns_;
  std::int64_t began_ns_;   // the last one
  std::int64_t rested_ns_;  // from then on another may begin
  bool is_asked_ = false;
};

}  // namespace metricsd::server
