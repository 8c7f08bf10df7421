// The units the kernel counts in.
#pragma once

#include <metricsd/models/decimal.h>

#include <cstdint>

#include <unistd.h>

namespace metricsd::tools {

// Ticks of the clock that /proc counts CPU time and starting times in: a hundredth of a second on all usual
// machines.
[[nodiscard]] inline std::uint64_t ticks_per_second() {
  static const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return ticks;
}
[[nodiscard]] inline std::uint64_t ticks_to_ns(std::uint64_t ticks) {
  return saturated(Uint128{ticks} * (1'000'000'000 / ticks_per_second()));
}
[[nodiscard]] inline double ticks_to_seconds(std::uint64_t ticks) {
  return static_cast<double>(ticks) / static_cast<double>(ticks_per_second());
}
[[nodiscard]] inline std::uint64_t pages_to_bytes(std::uint64_t pages) {
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return saturated(Uint128{pages} * page);
}
// What getrusage(2) counts storage in (ru_inblock, ru_oublock).
inline constexpr std::uint64_t kBlockBytes = 512;

}  // namespace metricsd::tools
