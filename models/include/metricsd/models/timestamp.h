// A moment in UTC, and its RFC 3339 text (the profile of ISO 8601 in RFC 3339 section 5.6).
#pragma once

#include <metricsd/models/errors.h>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace metricsd {

// Nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted. Reaches to 2262-04-11.
struct Timestamp {
  std::int64_t ns = 0;

  auto operator<=>(const Timestamp&) const = default;

  // Cut (not rounded) to whole microseconds: what the written form can tell.
  [[nodiscard]] Timestamp to_microseconds() const { return {ns - ns % 1000}; }
};

inline constexpr std::int64_t kNsPerSecond = 1'000'000'000;
inline constexpr std::int64_t kNsPerMs = 1'000'000;

// Reads `YYYY-MM-DD`, `T`, `t` or a space, `HH:MM:SS`, 0-9 fraction digits, then `Z`, `z`, an offset `+HH:MM`
// or nothing (UTC). Years 1970-2261; a second of 60 clamps to 59.999999999. Errc::invalid_timestamp
// otherwise.
[[nodiscard]] Result<Timestamp> parse_timestamp(std::string_view text);

// Appends `2026-01-31T23:59:59.123456Z`: UTC, six digits, cut.
void append_timestamp(std::string& out, Timestamp at);
[[nodiscard]] std::string format_timestamp(Timestamp at);

// `20260131T235959Z`, for names of files.
[[nodiscard]] std::string format_timestamp_compact(Timestamp at);

}  // namespace metricsd
