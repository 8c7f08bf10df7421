#include <metricsd/models/statistics/exact_selection.h>

#include <algorithm>
#include <cassert>

namespace metricsd {
namespace {

constexpr unsigned kDigitBits = 16;
constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;

// All values that begin with the same bits, where at least one rank asked for is among them.
struct Cell {
  std::uint64_t prefix = 0;
  std::uint64_t first_rank = 0;  // how many values are below all of these
  std::uint64_t size = 0;
};

// Puts the value of each of the positions (ascending, counted from `offset`) where sorting would put it.
void partition_at(std::span<std::uint64_t> values, std::span<const std::uint64_t> positions,
                  std::uint64_t offset) {
  if (positions.empty()) return;
  const std::uint64_t middle = positions[positions.size() / 2];
  const std::size_t at = middle - offset;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  const auto [equal_begin, equal_end] = std::equal_range(positions.begin(), positions.end(), middle);
  partition_at(values.first(at), {positions.begin(), equal_begin}, offset);
  partition_at(values.subspan(at + 1), {equal_end, positions.end()}, middle + 1);
}

// The state between passes: the cells that hold the ranks, ever smaller.
class Selection {
 public:
  Selection(const ValueSource& source, std::uint64_t count, std::span<const std::uint64_t> ranks)
      : source_(source), ranks_(ranks), cells_{{0, 0, count}} {}

  [[nodiscard]] std::uint64_t candidates() const;
  // True when a cell's values are all the same one.
  [[nodiscard]] bool determined() const { return undecided_bits_ == 0; }

  // One pass each.
  Result<> narrow();
  Result<std::vector<std::uint64_t>> collect() const;

  [[nodiscard]] std::vector<std::uint64_t> values_of_cells() const;

 private:
  [[nodiscard]] const Cell* find(std::uint64_t value) const;

  const ValueSource& source_;
  std::span<const std::uint64_t> ranks_;
  std::vector<Cell> cells_;  // ascending
  unsigned undecided_bits_ = 64;
};

std::uint64_t Selection::candidates() const {
  std::uint64_t total = 0;
  for (const Cell& cell : cells_) total += cell.size;
  return total;
}

// The cell of a value, or null: then no rank asked for can be this value's.
const Cell* Selection::find(std::uint64_t value) const {
  if (undecided_bits_ == 64) return cells_.data();
  const std::uint64_t prefix = value >> undecided_bits_;
  const auto at =
      std::lower_bound(cells_.begin(), cells_.end(), prefix,
                       [](const Cell& cell, std::uint64_t wanted) { return cell.prefix < wanted; });
  return at != cells_.end() && at->prefix == prefix ? &*at : nullptr;
}

Result<> Selection::narrow() {
  const unsigned shift = undecided_bits_ - kDigitBits;
  std::vector<std::uint64_t> counts(cells_.size() * kDigits);  // of each cell, by the next digit
  const Result<> read = source_([&](std::span<const std::uint64_t> values) {
    for (const std::uint64_t value : values) {
      const Cell* cell = find(value);
      if (cell == nullptr) continue;
      ++counts[static_cast<std::size_t>(cell - cells_.data()) * kDigits + ((value >> shift) & (kDigits - 1))];
    }
  });
  if (!read) return read;

  std::vector<Cell> narrowed;
  auto rank = ranks_.begin();
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    std::uint64_t first_rank = cells_[i].first_rank;
    for (std::uint64_t digit = 0; digit < kDigits; ++digit) {
      const std::uint64_t size = counts[i * kDigits + digit];
      const auto next = std::lower_bound(rank, ranks_.end(), first_rank + size);
      if (next != rank) narrowed.push_back({cells_[i].prefix << kDigitBits | digit, first_rank, size});
      rank = next;
      first_rank += size;
    }
  }
  cells_ = std::move(narrowed);
  undecided_bits_ = shift;
  return {};
}

Result<std::vector<std::uint64_t>> Selection::collect() const {
  std::vector<std::uint64_t> values;
  values.reserve(candidates());
  const Result<> read = source_([&](std::span<const std::uint64_t> block) {
    for (const std::uint64_t value : block) {
      if (find(value) != nullptr) values.push_back(value);
    }
  });
  if (!read) return read.error();
  assert(values.size() == candidates());

  // The ranks among the values collected.
  std::vector<std::uint64_t> positions;
  auto rank = ranks_.begin();
  std::uint64_t collected_below = 0;
  for (const Cell& cell : cells_) {
    for (; rank != ranks_.end() && *rank < cell.first_rank + cell.size; ++rank) {
      positions.push_back(*rank - cell.first_rank + collected_below);
    }
    collected_below += cell.size;
  }
  partition_at(values, positions, 0);
  for (std::uint64_t& position : positions) position = values[position];
  return positions;
}

std::vector<std::uint64_t> Selection::values_of_cells() const {
  std::vector<std::uint64_t> values;
  auto cell = cells_.begin();
  for (const std::uint64_t rank : ranks_) {
    while (rank >= cell->first_rank + cell->size) ++cell;
    values.push_back(cell->prefix);
  }
  return values;
}

}  // namespace

Result<std::vector<std::uint64_t>> select_ranks(const ValueSource& source, std::uint64_t count,
                                                std::span<const std::uint64_t> ranks, std::size_t in_memory) {
  if (ranks.empty()) return std::vector<std::uint64_t>{};
  Selection selection(source, count, ranks);
  while (selection.candidates() > in_memory) {
    if (const Result<> narrowed = selection.narrow(); !narrowed) return narrowed.error();
    if (selection.determined()) return selection.values_of_cells();
  }
  return selection.collect();
}

}  // namespace metricsd
