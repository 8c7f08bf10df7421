// Which of the numbered slots are marked: a bit each, so that a few marks among very many are found at once.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace metricsd {

// One thread.
class SlotMarks {
 public:
  // Room for the slots below `end`.
  void cover(std::uint32_t end) {
    const std::size_t words = (std::size_t{end} + kBits - 1) / kBits;
    if (words > words_.size()) words_.resize(words);
  }

  // The slot is covered.
  void mark(std::uint32_t slot) { words_[slot / kBits] |= bit(slot); }
  void unmark(std::uint32_t slot) { words_[slot / kBits] &= ~bit(slot); }
  void clear() { words_.assign(words_.size(), 0); }

  [[nodiscard]] std::size_t count() const {
    std::size_t marks = 0;
    for (const std::uint64_t word : words_) marks += static_cast<std::size_t>(std::popcount(word));
    return marks;
  }

  // Calls `visit` with each marked slot, ascending.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (std::size_t at = 0; at < words_.size(); ++at) {
      for (std::uint64_t word = words_[at]; word != 0; word &= word - 1) {
        visit(static_cast<std::uint32_t>(at * kBits + static_cast<std::size_t>(std::countr_zero(word))));
      }
    }
  }

 private:
  static constexpr std::uint32_t kBits = 64;

  [[nodiscard]] static std::uint64_t bit(std::uint32_t slot) { return std::uint64_t{1} << slot % kBits; }

  std::vector<std::uint64_t> words_;
};

}  // namespace metricsd
