// Exact order statistics of values that need not fit in memory: two passes over them, in almost all cases.
//
// The first pass counts the values by their leading bits, which divide each power of two into 2,048 cells of
// equal width. So one knows in which cell each rank lies, and the second pass collects the values of those
// cells alone: of values that spread over one power of two, about one in two thousand for each rank.
#pragma once

#include <metricsd/models/errors.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace metricsd {

// Calls its argument with the values, block by block; each call of the source passes over all of them again,
// in any order but always the same ones. Fails with whatever reading them fails with.
using ValueVisitor = std::function<void(std::span<const std::uint64_t>)>;
using ValueSource = std::function<Result<>(const ValueVisitor&)>;

// How many values have the same leading bits: the first pass. Not small (most of a mebibyte).
class CellCounts {
 public:
  static constexpr unsigned kCellBits = 11;  // of those behind the highest one: relative width 2^-11
  static constexpr std::size_t kCells = std::size_t{65 - kCellBits} << kCellBits;

  CellCounts() : counts_(kCells) {}

  void apply(std::span<const std::uint64_t> values) {
    for (const std::uint64_t value : values) ++counts_[cell_of(value)];
  }
  void merge(const CellCounts& other);
  [[nodiscard]] std::uint64_t at(std::size_t cell) const { return counts_[cell]; }

  // Cells are in the order of their values. Those below 2^11 have one each.
  [[nodiscard]] static std::size_t cell_of(std::uint64_t value) {
    const auto undecided = undecided_bits_of(value);
    return (std::size_t{undecided} << kCellBits) + static_cast<std::size_t>(value >> undecided);
  }
  // The least value of a cell, and how many bits of its values the cell leaves open.
  [[nodiscard]] static std::uint64_t first_value_of(std::size_t cell);
  [[nodiscard]] static unsigned undecided_bits(std::size_t cell);

 private:
  [[nodiscard]] static unsigned undecided_bits_of(std::uint64_t value) {
    constexpr std::uint64_t kFirstOfTwo = std::uint64_t{1} << kCellBits;
    return static_cast<unsigned>(std::bit_width(value | kFirstOfTwo)) - (kCellBits + 1);
  }

  std::vector<std::uint64_t> counts_;
};

// The values at the given ranks (0-based, ascending, below `count`) of `count` values in ascending order.
// Few values, where `in_memory` allows it, are collected and partitioned in one pass. Of others one pass
// counts and one collects; where the cells in question hold more than `in_memory` values, passes between the
// two divide them by 16 bits more, with half a mebibyte for each rank: five passes at most. Errors are those
// of the source.
[[nodiscard]] Result<std::vector<std::uint64_t>> select_ranks(const ValueSource& source, std::uint64_t count,
                                                              std::span<const std::uint64_t> ranks,
                                                              std::size_t in_memory = std::size_t{1} << 22);

// The same of values that were counted already.
[[nodiscard]] Result<std::vector<std::uint64_t>> select_ranks(const ValueSource& source,
                                                              const CellCounts& counts,
                                                              std::span<const std::uint64_t> ranks,
                                                              std::size_t in_memory = std::size_t{1} << 22);

}  // namespace metricsd
