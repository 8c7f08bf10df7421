// Which bucket a value is in, classic and exponential, found in a few instructions and without a logarithm.
//
// The bounds of both kinds together cut the values into *cells*: a cell lies in one classic and in one
// exponential bucket, so that one count serves both and the two can never disagree. A value's *key* is its
// exponent with the first bits behind the point. Within one key at most one exponential bound lies and hardly
// ever a classic one beside it: then one comparison decides between two neighbouring cells.
//
// A table covers kOctaves powers of two around the lowest bound: what lies outside is rare, and its owner
// counts it in another way. Immutable; any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace metricsd::client {

class BucketTable {
 public:
  static constexpr int kScale = 4;  // 16 exponential buckets an octave: relative error 2.2 %
  static constexpr int kOctaves = 64;
  static constexpr std::uint32_t kZeroCell = 0;  // of the value 0
  static constexpr std::uint32_t kNoCell = UINT32_MAX;

  static constexpr int kKeyBits = 5;  // 32 keys an octave: each spans less than one exponential bucket
  static constexpr int kFractionBits = 52;
  static constexpr std::uint64_t kKeys = std::uint64_t{kOctaves} << kKeyBits;

  // For the values of one key: `cell` where the value is at most `threshold`, else the next one. kNoCell
  // where there are more than two: then find() knows.
  struct Entry {
    double threshold;
    std::uint32_t cell;
  };

  // Ascending and finite, as validate(FamilySpec) has them.
  explicit BucketTable(std::span<const double> bounds);

  // Less than kKeys for what the table covers; a negative, tiny, huge value and what is no number is beyond.
  [[nodiscard]] static std::uint64_t key_of(double value, std::uint64_t first_key) {
    return (std::bit_cast<std::uint64_t>(value) >> (kFractionBits - kKeyBits)) - first_key;
  }
  [[nodiscard]] std::uint64_t first_key() const { return first_key_; }
  [[nodiscard]] const Entry* entries() const { return entries_.data(); }

  // The cell of any value >= 0, by search; kNoCell where the table does not cover it.
  [[nodiscard]] std::uint32_t find(double value) const;

  [[nodiscard]] std::size_t cells() const { return uppers_.size(); }
  // Of a cell: the classic bucket it is part of, and, kZeroCell aside, the exponential one at kScale.
  [[nodiscard]] std::uint32_t classic(std::size_t cell) const { return classic_[cell]; }
  [[nodiscard]] std::int32_t exponential(std::size_t cell) const { return exponential_[cell]; }

 private:
  [[nodiscard]] Entry entry_of(std::uint64_t key) const;
  // The first double of a key of the table; of kKeys: the first one beyond.
  [[nodiscard]] double start_of(std::uint64_t key) const;

  std::uint64_t first_key_;
  std::vector<double> uppers_;  // of each cell the greatest value; ascending, beginning with 0
  std::vector<std::uint32_t> classic_;
  std::vector<std::int32_t> exponential_;
  std::vector<Entry> entries_;  // kKeys of them
};

}  // namespace metricsd::client
