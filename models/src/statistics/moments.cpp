#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>
#include <metricsd/models/statistics/moments.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

#include <boost/multiprecision/cpp_int.hpp>

namespace metricsd {
namespace {

// Wide enough for the variance of 2^64 values of 64 bits, scaled for division.
using Wide = boost::multiprecision::uint512_t;

int bit_width(const Wide& value) {
  return static_cast<int>(msb(value)) + 1;
}

// The double next to numerator / denominator, both above 0: ratio() for wider numbers.
double wide_ratio(Wide numerator, Wide denominator) {
  // The quotient gets 63 or 64 bits. A remainder sets the last one, so that rounding to 53 sees that it is
  // there.
  const int shift = 63 + bit_width(denominator) - bit_width(numerator);
  if (shift >= 0) {
    numerator <<= shift;
  } else {
    denominator <<= -shift;
  }
  Wide quotient;
  Wide remainder;
  divide_qr(numerator, denominator, quotient, remainder);
  const auto rounded = static_cast<std::uint64_t>(quotient) | (remainder.is_zero() ? 0U : 1U);
  return std::ldexp(static_cast<double>(rounded), -shift);
}

Wide widen(Uint128 value) {
  return (Wide{static_cast<std::uint64_t>(value >> 64)} << 64) | static_cast<std::uint64_t>(value);
}

}  // namespace

void Moments::merge(const Moments& other) {
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
  squares_low_ += other.squares_low_;
  squares_high_ += other.squares_high_ + (squares_low_ < other.squares_low_ ? 1 : 0);
}

// count (u64); of any: least (u64), distance of the greatest (u64), sum (u128), sum of squares (u128 u64)
void Moments::save(StateWriter& out) const {
  out.u64(count_);
  if (count_ == 0) return;
  out.u64(min_);
  out.u64(max_ - min_);
  out.u128(sum_);
  out.u128(squares_low_);
  out.u64(squares_high_);
}

Moments Moments::load(StateReader& in) {
  Moments loaded;
  loaded.count_ = in.u64();
  if (loaded.count_ == 0) return loaded;
  loaded.min_ = in.u64();
  loaded.max_ = loaded.min_ + in.u64(std::numeric_limits<std::uint64_t>::max() - loaded.min_);
  loaded.sum_ = in.u128();
  loaded.squares_low_ = in.u128();
  loaded.squares_high_ = in.u64();
  if (!in.failed() && loaded.could_be()) return loaded;
  in.fail();
  return {};
}

// Whether there are values that come to these, as far as means and deviations need it to be so.
bool Moments::could_be() const {
  const Wide count = count_;
  const Wide sum = widen(sum_);
  const Wide squares = (Wide{squares_high_} << 128) | widen(squares_low_);
  return sum >= count * min_ && sum <= count * max_ && squares <= sum * max_ && squares * count >= sum * sum;
}

double Moments::mean(std::uint64_t unit) const {
  return count_ == 0 ? 0 : ratio(sum_, Uint128{count_} * unit);
}

double Moments::stddev(std::uint64_t unit) const {
  if (count_ < 2) return 0;
  const Wide squares = (Wide{squares_high_} << 128) | widen(squares_low_);
  const Wide sum = widen(sum_);
  // Whole numbers throughout: n * sum of squares - square of sum, over n (n - 1).
  const Wide numerator = squares * count_ - sum * sum;
  if (numerator.is_zero()) return 0;
  const Wide denominator = Wide{count_} * (count_ - 1) * unit * unit;
  return std::sqrt(wide_ratio(numerator, denominator));
}

void ExactSum::apply(double value) {
  assert(value >= 0);
  constexpr int kFractionBits = std::numeric_limits<double>::digits - 1;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto exponent = static_cast<unsigned>(bits >> kFractionBits) & 0x7FFU;
  std::uint64_t significand = bits & ((std::uint64_t{1} << kFractionBits) - 1);
  if (exponent != 0) significand |= std::uint64_t{1} << kFractionBits;

  const unsigned position = exponent == 0 ? 0 : exponent - 1;  // of the significand's last bit
  Uint128 shifted = Uint128{significand} << (position % kLimbBits);
  for (std::size_t limb = position / kLimbBits; shifted != 0; ++limb, shifted >>= kLimbBits) {
    limbs_[limb] += static_cast<std::uint32_t>(shifted);
  }
  if (++pending_ == std::uint32_t{1} << 31) carry();
}

void ExactSum::merge(const ExactSum& other) {
  ExactSum carried = other;
  carried.carry();
  carry();
  for (std::size_t i = 0; i < limbs_.size(); ++i) limbs_[i] += carried.limbs_[i];
  pending_ = 1;
}

void ExactSum::carry() {
  std::uint64_t above = 0;
  for (std::uint64_t& limb : limbs_) {
    limb += above;
    above = limb >> kLimbBits;
    limb = static_cast<std::uint32_t>(limb);
  }
  pending_ = 0;
}

double ExactSum::value() const {
  ExactSum carried = *this;
  carried.carry();
  const auto& limbs = carried.limbs_;
  std::size_t top = limbs.size() - 1;
  while (top > 2 && limbs[top] == 0) --top;

  // The first three limbs that count have at least 65 bits, or all there are. Anything below them sets the
  // last bit, so that the one rounding, to 53 bits, sees that it is there.
  Uint128 leading = 0;
  for (std::size_t i = 0; i < 3; ++i) leading = leading << kLimbBits | limbs[top - i];
  const auto below = limbs.begin() + static_cast<std::ptrdiff_t>(top - 2);
  if (std::any_of(limbs.begin(), below, [](std::uint64_t limb) { return limb != 0; })) leading |= 1;

  constexpr int kSmallestExponent =
      std::numeric_limits<double>::min_exponent - std::numeric_limits<double>::digits;
  return std::ldexp(static_cast<double>(leading), static_cast<int>(top - 2) * kLimbBits + kSmallestExponent);
}

}  // namespace metricsd
