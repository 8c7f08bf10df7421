#include "window_grid.h"

#include <metricsd/models/limits.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace metricsd {
namespace {

__extension__ using Int128 = __int128;  // the distance of two moments need not fit in 64 bits

// Finds how often windows must be doubled. Holds the distinct (window, group) pairs seen, at the doubling
// reached.
class WindowCounter {
 public:
  void add(std::int64_t index, std::uint32_t group) {
    const Pair pair{index >> doublings_, group};
    if (!pairs_.empty() && pairs_.back() == pair) return;
    pairs_.push_back(pair);
    if (pairs_.size() >= 2 * limits::kWindowRows) compact();
  }

  int doublings() {
    compact();
    return doublings_;
  }

 private:
  using Pair = std::pair<std::int64_t, std::uint32_t>;

  void compact() {
    remove_duplicates();
    while (too_many()) {
      ++doublings_;
      for (Pair& pair : pairs_) pair.first >>= 1;
      remove_duplicates();
    }
  }

  void remove_duplicates() {
    std::sort(pairs_.begin(), pairs_.end());
    pairs_.erase(std::unique(pairs_.begin(), pairs_.end()), pairs_.end());
  }

  [[nodiscard]] bool too_many() const {
    std::size_t windows = pairs_.empty() ? 0 : 1;
    for (std::size_t i = 1; i < pairs_.size(); ++i) windows += pairs_[i].first != pairs_[i - 1].first ? 1 : 0;
    return windows > limits::kWindows || pairs_.size() > limits::kWindowRows;
  }

  std::vector<Pair> pairs_;
  int doublings_ = 0;
};

}  // namespace

std::int64_t WindowGrid::index_of(std::int64_t moment_ns) const {
  const Int128 distance = Int128{moment_ns} - origin_ns;
  const Int128 quotient = distance / length_ns;
  return static_cast<std::int64_t>(distance % length_ns < 0 ? quotient - 1 : quotient);
}

std::int64_t WindowGrid::start_of(std::int64_t index) const {
  const Int128 start = Int128{index} * length_ns + origin_ns;
  constexpr Int128 kFirst = std::numeric_limits<std::int64_t>::min();
  constexpr Int128 kLast = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::clamp(start, kFirst, kLast));
}

Result<> split_by_window(const RecordStore& store, const Extent& slice, const WindowGrid& grid,
                         const WindowVisitor& visit) {
  Extent current = slice;
  current.end = current.begin;
  std::int64_t index = 0;
  std::int64_t next_window = std::numeric_limits<std::int64_t>::min();
  const auto flush = [&] {
    if (current.rows() > 0) visit(index, current);
    current.begin = current.end;
  };
  const Result<> read = store.read(Column::start, slice, [&](std::span<const std::uint64_t> starts) {
    if (!starts.empty() && moment_of(starts.back()) < next_window) {  // as most blocks are: all of one window
      current.end += static_cast<std::uint32_t>(starts.size());
      return;
    }
    for (const std::uint64_t start : starts) {
      const std::int64_t moment = moment_of(start);
      if (moment >= next_window) {
        flush();
        index = grid.index_of(moment);
        next_window = grid.start_of(index + 1);
      }
      ++current.end;
    }
  });
  if (!read) return read;
  flush();
  return {};
}

Result<WindowGrid> fit_windows(const RecordStore& store, const WindowGrid& grid) {
  WindowCounter counter;
  for (const Slice& slice : store.slices()) {
    const Result<> read = split_by_window(store, slice.extent, grid, [&](std::int64_t index, const Extent&) {
      counter.add(index, slice.group);
    });
    if (!read) return read.error();
  }
  WindowGrid fitted = grid;
  for (int i = counter.doublings(); i > 0 && fitted.length_ns < kLongestWindowNs; --i) fitted.length_ns *= 2;
  return fitted;
}

}  // namespace metricsd
