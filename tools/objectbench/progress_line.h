// One line on the terminal that is written anew every second.
#pragma once

#include "shared_progress.h"

#include <chrono>

namespace metricsd::tools {

// Writes to stderr, and only where that is a terminal. One thread.
class ProgressLine {
 public:
  explicit ProgressLine(bool wanted);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Call it often: it writes once a second.
  void update(const SharedProgress& progress);

 private:
  using Clock = std::chrono::steady_clock;

  bool shown_;
  Clock::time_point started_ = Clock::now();
  Clock::time_point last_ = started_;
  std::uint64_t last_operations_ = 0;
  std::uint64_t last_bytes_ = 0;
};

}  // namespace metricsd::tools
