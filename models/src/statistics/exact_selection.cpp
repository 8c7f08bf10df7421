#include <metricsd/models/statistics/exact_selection.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace metricsd {
namespace {

// So many are sorted out faster than the table of counts is looked through.
constexpr std::uint64_t kFew = 1 << 14;

// Of a pass that divides cells further.
constexpr unsigned kDigitBits = 16;

// All values that begin with the same bits, where at least one rank asked for is among them.
struct Cell {
  std::uint64_t first_value = 0;
  unsigned undecided_bits = 0;   // by which its values may differ from the first
  std::uint64_t first_rank = 0;  // how many values are below all of these
  std::uint64_t size = 0;

  [[nodiscard]] std::uint64_t end_rank() const { return first_rank + size; }
  [[nodiscard]] bool decided() const { return undecided_bits == 0; }
  [[nodiscard]] bool holds(std::uint64_t value) const {
    return value >> undecided_bits == first_value >> undecided_bits;
  }
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

// The values that sorting would put at the positions (ascending), in their place.
std::vector<std::uint64_t> values_at(std::span<std::uint64_t> values, std::vector<std::uint64_t> positions) {
  partition_at(values, positions, 0);
  for (std::uint64_t& position : positions) position = values[position];
  return positions;
}

// The state between passes: the cells that hold the ranks, ever smaller.
class Selection {
 public:
  Selection(const ValueSource& source, std::span<const std::uint64_t> ranks, const CellCounts& counts);

  // How many values the cells hold that leave any bit open.
  [[nodiscard]] std::uint64_t candidates() const;

  // One pass each.
  Result<> narrow();
  Result<std::vector<std::uint64_t>> collect() const;

 private:
  // A table of which cells of a CellCounts have a value in question: most values are passed over by one look.
  using Wanted = std::vector<char>;

  [[nodiscard]] Wanted wanted() const;
  [[nodiscard]] const Cell* find(std::uint64_t value) const;
  template <class F>
  Result<> for_each_candidate(F&& use) const;

  const ValueSource& source_;
  std::span<const std::uint64_t> ranks_;
  std::vector<Cell> cells_;  // ascending
};

// Of cells that are told in the order of their values, those in which one of the ranks lies.
class CellsWithRanks {
 public:
  explicit CellsWithRanks(std::span<const std::uint64_t> ranks) : ranks_(ranks) {}

  void tell(const Cell& cell) {
    if (ranks_.empty() || ranks_.front() >= cell.end_rank()) return;
    cells_.push_back(cell);
    ranks_ = {std::lower_bound(ranks_.begin(), ranks_.end(), cell.end_rank()), ranks_.end()};
  }
  [[nodiscard]] std::vector<Cell> take() { return std::move(cells_); }

 private:
  std::span<const std::uint64_t> ranks_;  // those that no cell told so far holds
  std::vector<Cell> cells_;
};

Selection::Selection(const ValueSource& source, std::span<const std::uint64_t> ranks,
                     const CellCounts& counts)
    : source_(source), ranks_(ranks) {
  CellsWithRanks kept(ranks);
  std::uint64_t rank = 0;
  for (std::size_t i = 0; i < CellCounts::kCells; ++i) {
    const std::uint64_t size = counts.at(i);
    if (size == 0) continue;
    kept.tell({CellCounts::first_value_of(i), CellCounts::undecided_bits(i), rank, size});
    rank += size;
  }
  cells_ = kept.take();
}

std::uint64_t Selection::candidates() const {
  std::uint64_t total = 0;
  for (const Cell& cell : cells_) total += cell.decided() ? 0 : cell.size;
  return total;
}

Selection::Wanted Selection::wanted() const {
  Wanted wanted(CellCounts::kCells);
  for (const Cell& cell : cells_) {
    if (!cell.decided()) wanted[CellCounts::cell_of(cell.first_value)] = 1;
  }
  return wanted;
}

// The cell of a value, or null: then no rank asked for can be this value's.
const Cell* Selection::find(std::uint64_t value) const {
  const auto next =
      std::upper_bound(cells_.begin(), cells_.end(), value,
                       [](std::uint64_t sought, const Cell& cell) { return sought < cell.first_value; });
  if (next == cells_.begin()) return nullptr;
  const Cell& cell = *(next - 1);
  return !cell.decided() && cell.holds(value) ? &cell : nullptr;
}

template <class F>
Result<> Selection::for_each_candidate(F&& use) const {
  const Wanted is_wanted = wanted();
  return source_([&](std::span<const std::uint64_t> values) {
    for (const std::uint64_t value : values) {
      if (is_wanted[CellCounts::cell_of(value)] != 0) use(value);
    }
  });
}

Result<> Selection::narrow() {
  constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
  const auto shift_of = [](const Cell& cell) {
    return cell.undecided_bits < kDigitBits ? 0 : cell.undecided_bits - kDigitBits;
  };
  std::vector<std::uint64_t> counts(cells_.size() * kDigits);  // of each cell, by the next digit
  const Result<> read = for_each_candidate([&](std::uint64_t value) {
    const Cell* const cell = find(value);
    if (cell == nullptr) return;
    const auto digit = static_cast<std::size_t>((value - cell->first_value) >> shift_of(*cell));
    ++counts[static_cast<std::size_t>(cell - cells_.data()) * kDigits + digit];
  });
  if (!read) return read;

  CellsWithRanks kept(ranks_);
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const Cell& cell = cells_[i];
    if (cell.decided()) {
      kept.tell(cell);
      continue;
    }
    const unsigned shift = shift_of(cell);
    std::uint64_t rank = cell.first_rank;
    for (std::uint64_t digit = 0; digit < kDigits; ++digit) {
      const std::uint64_t size = counts[i * kDigits + digit];
      kept.tell({cell.first_value + (digit << shift), shift, rank, size});
      rank += size;
    }
  }
  cells_ = kept.take();
  return {};
}

Result<std::vector<std::uint64_t>> Selection::collect() const {
  std::vector<std::uint64_t> values;
  values.reserve(candidates() + cells_.size());
  if (candidates() > 0) {
    const Result<> read = for_each_candidate([&](std::uint64_t value) {
      if (find(value) != nullptr) values.push_back(value);
    });
    if (!read) return read.error();
    assert(values.size() == candidates());
  }

  // The values of a decided cell are all the same: one stands for them.
  std::vector<std::uint64_t> positions;
  std::uint64_t values_below = 0;
  auto rank = ranks_.begin();
  for (const Cell& cell : cells_) {
    for (; rank != ranks_.end() && *rank < cell.end_rank(); ++rank) {
      positions.push_back(values_below + (cell.decided() ? 0 : *rank - cell.first_rank));
    }
    if (cell.decided()) values.push_back(cell.first_value);
    values_below += cell.decided() ? 1 : cell.size;
  }
  return values_at(values, std::move(positions));
}

Result<std::vector<std::uint64_t>> collect_all(const ValueSource& source, std::uint64_t count,
                                               std::span<const std::uint64_t> ranks) {
  std::vector<std::uint64_t> values;
  values.reserve(count);
  const Result<> read = source(
      [&](std::span<const std::uint64_t> block) { values.insert(values.end(), block.begin(), block.end()); });
  if (!read) return read.error();
  assert(values.size() == count);
  return values_at(values, {ranks.begin(), ranks.end()});
}

}  // namespace

void CellCounts::merge(const CellCounts& other) {
  for (std::size_t i = 0; i < kCells; ++i) counts_[i] += other.counts_[i];
}

unsigned CellCounts::undecided_bits(std::size_t cell) {
  const std::size_t octave = cell >> kCellBits;  // 0 and 1 have no bit open
  return octave < 2 ? 0 : static_cast<unsigned>(octave - 1);
}

std::uint64_t CellCounts::first_value_of(std::size_t cell) {
  const unsigned undecided = undecided_bits(cell);
  return (std::uint64_t{cell} - (std::uint64_t{undecided} << kCellBits)) << undecided;
}

Result<std::vector<std::uint64_t>> select_ranks(const ValueSource& source, std::uint64_t count,
                                                std::span<const std::uint64_t> ranks, std::size_t in_memory) {
  assert(std::is_sorted(ranks.begin(), ranks.end()));
  if (ranks.empty()) return std::vector<std::uint64_t>{};
  if (count <= std::min<std::uint64_t>(kFew, in_memory)) return collect_all(source, count, ranks);
  CellCounts counts;
  const Result<> read = source([&](std::span<const std::uint64_t> values) { counts.apply(values); });
  if (!read) return read.error();
  return select_ranks(source, counts, ranks, in_memory);
}

Result<std::vector<std::uint64_t>> select_ranks(const ValueSource& source, const CellCounts& counts,
                                                std::span<const std::uint64_t> ranks, std::size_t in_memory) {
  Selection selection(source, ranks, counts);
  while (selection.candidates() > in_memory) {
    if (const Result<> narrowed = selection.narrow(); !narrowed) return narrowed.error();
  }
  return selection.collect();
}

}  // namespace metricsd
