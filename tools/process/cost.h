// What only ever grows with what a process does: CPU time and bytes of storage. Sums stop at the greatest
// number.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace metricsd::tools {

struct Cost {
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t write_bytes = 0;

  bool operator==(const Cost&) const = default;
};

// `act` of each figure of both.
template <class Act>
[[nodiscard]] Cost combined(const Cost& a, const Cost& b, Act act) {
  return {act(a.user_ns, b.user_ns), act(a.system_ns, b.system_ns), act(a.read_bytes, b.read_bytes),
          act(a.write_bytes, b.write_bytes)};
}

[[nodiscard]] inline std::uint64_t grown(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::uint64_t>::max() : sum;
}

[[nodiscard]] inline Cost operator+(const Cost& a, const Cost& b) {
  return combined(a, b, grown);
}
inline Cost& operator+=(Cost& a, const Cost& b) {
  return a = a + b;
}
// What `a` has more than `b`: nothing where it has less.
[[nodiscard]] inline Cost beyond(const Cost& a, const Cost& b) {
  return combined(a, b, [](std::uint64_t x, std::uint64_t y) { return x > y ? x - y : 0; });
}
[[nodiscard]] inline Cost least(const Cost& a, const Cost& b) {
  return combined(a, b, [](std::uint64_t x, std::uint64_t y) { return std::min(x, y); });
}
[[nodiscard]] inline Cost greatest(const Cost& a, const Cost& b) {
  return combined(a, b, [](std::uint64_t x, std::uint64_t y) { return std::max(x, y); });
}

}  // namespace metricsd::tools
