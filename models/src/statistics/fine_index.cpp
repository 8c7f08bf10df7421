#include <metricsd/models/statistics/fine_index.h>

#include <algorithm>
#include <cmath>

namespace metricsd {

const FineIndex& FineIndex::table() {
  static const FineIndex table;
  return table;
}

FineIndex::FineIndex() {
  for (std::size_t k = 0; k < bound_.size(); ++k) {
    // 64 bits of precision, then rounded: the nearest double.
    bound_[k] = static_cast<double>(std::exp2(static_cast<long double>(k) / kSteps));
    fraction_[k] = std::bit_cast<std::uint64_t>(bound_[k]) & kFractionMask;
  }
  std::fill(fraction_.end() - 2, fraction_.end(), std::numeric_limits<std::uint64_t>::max());
  for (std::size_t t = 0; t < below_.size(); ++t) {
    const double start = 1 + static_cast<double>(t) / kSteps;
    below_[t] =
        static_cast<std::uint16_t>(std::lower_bound(bound_.begin(), bound_.end(), start) - bound_.begin());
  }
}

std::int32_t FineIndex::of_subnormal(double value) const {
  return of(std::ldexp(value, kFractionBits)) - kFractionBits * kSteps;  // exact
}

double FineIndex::lower_bound(std::int64_t index) const {
  constexpr std::int64_t kFarOut = 10'000;  // beyond every double's exponent, and an int
  const auto exponent = std::clamp(index >> kScale, -kFarOut, kFarOut);
  return std::ldexp(bound_[static_cast<std::size_t>(index & (kSteps - 1))], static_cast<int>(exponent));
}

}  // namespace metricsd
