// The forms in which values stand behind flags.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace metricsd::server {

// `0` or `off`, or a whole number with one of the units ms, s, m, h, d: nanoseconds.
[[nodiscard]] std::optional<std::int64_t> parse_duration(std::string_view text);
// `off` (std::numeric_limits' max), or a whole number above 0, which may have one of the units KiB, MiB, GiB.
[[nodiscard]] std::optional<std::uint64_t> parse_quantity(std::string_view text);
// Octal permissions.
[[nodiscard]] std::optional<mode_t> parse_mode(std::string_view text);
// Ascending finite numbers with commas between them.
[[nodiscard]] std::optional<std::vector<double>> parse_bounds(std::string_view text);
// What parse_bounds() reads; without exponents, as people write them.
[[nodiscard]] std::string join_bounds(const std::vector<double>& bounds);

}  // namespace metricsd::server
