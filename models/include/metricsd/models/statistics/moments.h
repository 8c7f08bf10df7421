// Sums that do not depend on the order of their terms, so that shards, files and re-runs agree to the last
// digit.
#pragma once

#include <metricsd/models/decimal.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace metricsd {

class StateReader;
class StateWriter;

// Count, extremes, sum and sum of squares of whole numbers, all exact. A plain value.
class Moments {
 public:
  void apply(std::uint64_t value) {
    ++count_;
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
    sum_ += value;
    const Uint128 square = Uint128{value} * value;
    squares_low_ += square;
    squares_high_ += squares_low_ < square ? 1 : 0;
  }
  void merge(const Moments& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t min() const { return min_; }  // of none: 2^64 - 1
  [[nodiscard]] std::uint64_t max() const { return max_; }  // of none: 0
  [[nodiscard]] Uint128 sum() const { return sum_; }

  void save(StateWriter& out) const;
  // Takes any bytes: of none, and the reader has failed, where no values come to what they say.
  [[nodiscard]] static Moments load(StateReader& in);

  // sum / (count * unit), correctly rounded; 0 of none. `unit` scales: 1,000,000 turns nanoseconds into ms.
  // count * unit is at most 2^72.
  [[nodiscard]] double mean(std::uint64_t unit = 1) const;
  // The sample's (n - 1): the square root of the correctly rounded variance in unit^2; 0 of fewer than two.
  [[nodiscard]] double stddev(std::uint64_t unit = 1) const;

 private:
  [[nodiscard]] bool could_be() const;

  std::uint64_t count_ = 0;
  std::uint64_t min_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t max_ = 0;
  Uint128 sum_ = 0;
  Uint128 squares_low_ = 0;
  std::uint64_t squares_high_ = 0;  // carries out of squares_low_: 192 bits in all
};

// The exact sum of doubles >= 0, rounded once (half to even) when read: what Python's math.fsum gives. Terms
// may be subnormal; a sum beyond the greatest double, or of an infinity, is infinite. A plain value.
class ExactSum {
 public:
  void apply(double value);
  void merge(const ExactSum& other);
  [[nodiscard]] double value() const;

 private:
  static constexpr int kLimbBits = 32;

  void carry();

  // The sum in units of 2^-1074, the smallest double: of limbs_[i] * 2^(32 i). The greatest double ends in
  // limb 65; those above it hold the carries of 2^64 terms.
  std::array<std::uint64_t, 68> limbs_{};
  // Terms added since limbs were last carried below 2^32. A limb has room for 2^31 more.
  std::uint32_t pending_ = 0;
};

}  // namespace metricsd
