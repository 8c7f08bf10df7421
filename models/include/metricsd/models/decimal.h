// Exact numbers in text: durations as decimal milliseconds, and correctly rounded ratios of integers.
#pragma once

#include <metricsd/models/errors.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace metricsd {

__extension__ using Uint128 = unsigned __int128;

// A JSON number's text in milliseconds as nanoseconds, rounded half up below a nanosecond. Works on the
// digits, so that 0.1 is 100,000 ns and no binary fraction comes between. Errc::out_of_range below 0 or above
// 1e9 ms.
[[nodiscard]] Result<std::int64_t> milliseconds_to_ns(std::string_view number);

// A JSON number's text as a whole number, however it was written (1048576, 1048576.0, 1.048576e6).
// Errc::out_of_range below 0, above `max`, or where it is not whole.
[[nodiscard]] Result<std::uint64_t> whole_number(std::string_view number, std::uint64_t max);

// The shortest decimal that is exactly `ns` in milliseconds: 112500000 is "112.5".
void append_ns_as_milliseconds(std::string& out, std::int64_t ns);
// The same to memory of kMillisecondsSize bytes; returns the place behind what it wrote.
inline constexpr std::size_t kMillisecondsSize = 24;
char* write_ns_as_milliseconds(char* out, std::int64_t ns);

// As much of `value` as 64 bits can say: 2^64 - 1 where it is greater.
[[nodiscard]] constexpr std::uint64_t saturated(Uint128 value) {
  return value >> 64 == 0 ? static_cast<std::uint64_t>(value) : ~std::uint64_t{0};
}

// The double next to numerator / denominator (round half to even). `denominator` is 1 to 2^72.
[[nodiscard]] double ratio(Uint128 numerator, Uint128 denominator);

// The double next to digits / 10^places, for at most 19 places: a decimal's own double.
[[nodiscard]] double decimal_fraction(std::uint64_t digits, unsigned places);

// The shortest text that reads back as the same double: "0.4375", "1e+22", "NaN", "+Inf", "-Inf".
void append_double(std::string& out, double value);
void append_integer(std::string& out, std::uint64_t value);

}  // namespace metricsd
