// A hash table of numbers that are found by the text each stands for: 4 bytes an entry, the text lies
// elsewhere. Linear probing; what is erased leaves no trace.
//
//   index.find(text, [&](std::uint32_t id) { return text_of(id); });
#pragma once

#include <metricsd/models/decimal.h>
#include <metricsd/models/string_table.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace metricsd {

// One thread at a time. `text_of` gives the text of a number that is in the index.
class KeyIndex {
 public:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  // The number of this text, or kNone.
  template <class TextOf>
  [[nodiscard]] std::uint32_t find(std::string_view text, const TextOf& text_of) const {
    return cells_.empty() ? kNone : cells_[cell_of(text, text_of)];
  }

  // `id` is not kNone; its text is not in the index yet.
  template <class TextOf>
  void insert(std::uint32_t id, const TextOf& text_of) {
    if ((size_ + 1) * 8 > cells_.size() * 7) grow(text_of);
    cells_[cell_of(text_of(id), text_of)] = id;
    ++size_;
  }

  // The text is in the index.
  template <class TextOf>
  void erase(std::string_view text, const TextOf& text_of) {
    std::size_t hole = cell_of(text, text_of);
    cells_[hole] = kNone;
    --size_;
    // Whoever was pushed past the hole moves up into it, or would not be found any more.
    for (std::size_t at = next(hole); cells_[at] != kNone; at = next(at)) {
      const std::size_t home = home_of(text_of(cells_[at]));
      if (distance(home, at) < distance(hole, at)) continue;
      cells_[hole] = cells_[at];
      cells_[at] = kNone;
      hole = at;
    }
  }

  // Calls `visit` with each number.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const std::uint32_t id : cells_) {
      if (id != kNone) visit(id);
    }
  }

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  [[nodiscard]] std::size_t next(std::size_t cell) const { return cell + 1 < cells_.size() ? cell + 1 : 0; }
  [[nodiscard]] std::size_t distance(std::size_t from, std::size_t to) const {
    return to >= from ? to - from : to + cells_.size() - from;
  }
  // The hash as a fraction of its range, so that any number of cells will do.
  [[nodiscard]] std::size_t home_of(std::string_view text) const {
    return static_cast<std::size_t>((Uint128{TextHash{}(text)} * cells_.size()) >> 64);
  }

  // Where the text is, or belongs.
  template <class TextOf>
  [[nodiscard]] std::size_t cell_of(std::string_view text, const TextOf& text_of) const {
    std::size_t cell = home_of(text);
    while (cells_[cell] != kNone && text_of(cells_[cell]) != text) cell = next(cell);
    return cell;
  }

  template <class TextOf>
  void grow(const TextOf& text_of) {
    // By half: doubling would leave half of them empty more often than not.
    std::vector<std::uint32_t> before(std::max(kFirst, cells_.size() + cells_.size() / 2), kNone);
    before.swap(cells_);
    for (const std::uint32_t id : before) {
      if (id == kNone) continue;
      std::size_t cell = home_of(text_of(id));
      while (cells_[cell] != kNone) cell = next(cell);
      cells_[cell] = id;
    }
  }

  static constexpr std::size_t kFirst = 8;

  std::vector<std::uint32_t> cells_;
  std::size_t size_ = 0;
};

}  // namespace metricsd
