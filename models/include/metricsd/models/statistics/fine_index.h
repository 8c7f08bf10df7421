// Which exponential bucket a value belongs to, without a logarithm: a look at its bits and two comparisons.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace metricsd {

// Buckets as ExponentialHistogram has them, at the finest scale it knows. Any thread.
class FineIndex {
 public:
  static constexpr int kScale = 8;
  static constexpr std::int32_t kSteps = 1 << kScale;  // buckets between two powers of 2
  // Stands for the value 0, which has a bucket of its own.
  static constexpr std::int32_t kZero = std::numeric_limits<std::int32_t>::min();

  // Lives for the whole program.
  static const FineIndex& table();

  // The i with 2^(i/256) < value <= 2^((i+1)/256), exact: bounds count as the doubles next to the powers.
  // `value` is finite and > 0.
  [[nodiscard]] std::int32_t of(double value) const {
    if (value < std::numeric_limits<double>::min()) [[unlikely]]
      return of_subnormal(value);
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const std::uint64_t fraction = bits & kFractionMask;
    const std::size_t below = below_[fraction >> (kFractionBits - kScale)];
    const auto bounds = static_cast<std::int32_t>(below) + (fraction_[below] < fraction ? 1 : 0) +
                        (fraction_[below + 1] < fraction ? 1 : 0);
    const auto exponent = static_cast<std::int32_t>(bits >> kFractionBits) - kExponentBias;
    return exponent * kSteps + bounds - 1;
  }

  // 2^(index/256), correctly rounded; infinite above the greatest double, 0 (or rounded to what is left of
  // the precision) below the normal ones.
  [[nodiscard]] double lower_bound(std::int64_t index) const;

 private:
  static constexpr int kFractionBits = std::numeric_limits<double>::digits - 1;
  static constexpr int kExponentBias = std::numeric_limits<double>::max_exponent - 1;
  static constexpr std::uint64_t kFractionMask = (std::uint64_t{1} << kFractionBits) - 1;

  FineIndex();

  [[nodiscard]] std::int32_t of_subnormal(double value) const;

  // The bounds 2^(k/256) between 1 and 2. Values are compared with them by their fraction bits, as whole
  // numbers; the last two are greater than any.
  std::array<double, kSteps> bound_{};
  std::array<std::uint64_t, kSteps + 2> fraction_{};
  // Bounds below 1 + t/256: where the search for a fraction that starts with the bits t begins. The logarithm
  // rises by less than 1.45 buckets over such a step, so it is two comparisons long.
  std::array<std::uint16_t, kSteps> below_{};
};

}  // namespace metricsd
