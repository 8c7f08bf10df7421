#include <metricsd/models/kinds/bucket_finder.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <limits>

namespace metricsd {

BucketFinder::BucketFinder(const std::vector<double>& bounds, double least, double greatest)
    : index_(FineIndex::table()),
      bounds_(bounds),
      first_(index_.of(least)),
      below_zero_(
          static_cast<std::uint32_t>(std::lower_bound(bounds.begin(), bounds.end(), 0.0) - bounds.begin())) {
  static_assert(limits::kBounds <= std::numeric_limits<std::uint8_t>::max());
  const std::int32_t last = index_.of(greatest);
  bounds_below_.reserve(static_cast<std::size_t>(last - first_) + 1);
  for (std::int32_t fine = first_; fine <= last; ++fine) {
    const auto above = std::upper_bound(bounds.begin(), bounds.end(), index_.lower_bound(fine));
    bounds_below_.push_back(static_cast<std::uint8_t>(above - bounds.begin()));
  }
  bounds_.push_back(std::numeric_limits<double>::infinity());
}

}  // namespace metricsd
