// Finds a value's buckets in every histogram of the same bounds, once for all of them.
#pragma once

#include <metricsd/models/statistics/fine_index.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace metricsd {

// Where a value is counted in a histogram.
struct BucketPlace {
  std::uint32_t classic = 0;             // which of the classic buckets
  std::int32_t fine = FineIndex::kZero;  // its FineIndex
};

// Immutable; any thread.
class BucketFinder {
 public:
  // `bounds` as a FamilySpec has them. Values from `least` to `greatest` are found fastest: a table of a byte
  // for each of their fine buckets says which bounds lie below. Others are found all the same.
  BucketFinder(const std::vector<double>& bounds, double least, double greatest);

  // `value` is finite and >= 0. A value on a bound belongs to that bound's bucket.
  [[nodiscard]] BucketPlace find(double value) const {
    if (value == 0) return {below_zero_, FineIndex::kZero};
    const std::int32_t fine = index_.of(value);
    const auto at = static_cast<std::uint32_t>(fine) - static_cast<std::uint32_t>(first_);
    std::uint32_t classic = at < bounds_below_.size() ? bounds_below_[at] : 0;
    while (bounds_[classic] < value) ++classic;
    return {classic, fine};
  }

 private:
  const FineIndex& index_;
  std::vector<double> bounds_;              // and infinity, where every search ends
  std::int32_t first_;                      // the fine bucket of the first of bounds_below_
  std::vector<std::uint8_t> bounds_below_;  // bounds that every value of this fine bucket exceeds
  std::uint32_t below_zero_;
};

}  // namespace metricsd
