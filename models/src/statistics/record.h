// What the statistics need of one operation, as numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace metricsd {

enum class Column : std::uint8_t {
  start,       // see to_column()
  duration,    // nanoseconds
  throughput,  // the bits of a double >= 0, which are ordered as the doubles are
  size,        // bytes
  response,    // nanoseconds
};
inline constexpr std::size_t kColumns = 5;

// The value of a column where an operation has none.
inline constexpr std::uint64_t kAbsent = std::numeric_limits<std::uint64_t>::max();

// A moment as a column has it: ordered as moments are.
[[nodiscard]] constexpr std::uint64_t to_column(std::int64_t ns) {
  return static_cast<std::uint64_t>(ns) ^ (std::uint64_t{1} << 63);
}
[[nodiscard]] constexpr std::int64_t moment_of(std::uint64_t column) {
  return static_cast<std::int64_t>(column ^ (std::uint64_t{1} << 63));
}

struct Record {
  std::uint32_t group = 0;
  bool success = false;
  std::array<std::uint64_t, kColumns> columns{kAbsent, kAbsent, kAbsent, kAbsent, kAbsent};

  [[nodiscard]] std::uint64_t& operator[](Column column) { return columns[static_cast<std::size_t>(column)]; }
  [[nodiscard]] std::uint64_t operator[](Column column) const {
    return columns[static_cast<std::size_t>(column)];
  }
  // A number for group and outcome, ordered as both are.
  [[nodiscard]] std::uint32_t slice() const { return group * 2 + (success ? 1U : 0U); }
};

// What Record::slice() stands for.
[[nodiscard]] constexpr std::uint32_t group_of(std::uint32_t slice) {
  return slice / 2;
}
[[nodiscard]] constexpr bool is_success(std::uint32_t slice) {
  return slice % 2 != 0;
}

}  // namespace metricsd
