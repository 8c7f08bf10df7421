// Timestamps as append_timestamp() writes them, one after the other: most are of the day before.
#pragma once

#include <metricsd/models/timestamp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace metricsd {

// One thread.
class TimestampWriter {
 public:
  // `2026-01-31T23:59:59.123456Z`
  static constexpr std::size_t kSize = 27;

  // Writes kSize characters to `out`, and returns the place behind them.
  char* write(char* out, Timestamp at);

 private:
  static constexpr std::size_t kDaySize = 11;

  void set_day(Timestamp at);

  std::int64_t day_ns_ = -1;  // when the day began; below 0 there is none yet
  std::array<char, kDaySize> day_{};
};

}  // namespace metricsd
