#include <metricsd/models/statistics/fine_buckets.h>

#include <algorithm>

namespace metricsd {
namespace {

// Buckets come in blocks of so many, so that a distribution's edges do not move one by one.
constexpr std::int32_t kBlock = 64;

}  // namespace

void FineBuckets::put_outside(std::int32_t fine_index) {
  if (fine_index == FineIndex::kZero) {
    ++zero_count_;
    return;
  }
  cover(fine_index, fine_index);
  ++counts_[static_cast<std::size_t>(fine_index - first_)];
}

void FineBuckets::merge(const FineBuckets& other) {
  zero_count_ += other.zero_count_;
  if (other.counts_.empty()) return;
  cover(other.first_, other.first_ + static_cast<std::int32_t>(other.counts_.size()) - 1);
  const auto shift = static_cast<std::size_t>(other.first_ - first_);
  for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[shift + i] += other.counts_[i];
}

// Makes room for `first` to `last`, beside what there is.
void FineBuckets::cover(std::int32_t first, std::int32_t last) {
  if (!counts_.empty()) {
    first = std::min(first, first_);
    last = std::max(last, first_ + static_cast<std::int32_t>(counts_.size()) - 1);
  }
  first &= ~(kBlock - 1);
  last |= kBlock - 1;
  std::vector<std::uint64_t> wider(static_cast<std::size_t>(last - first + 1));
  if (!counts_.empty()) std::copy(counts_.begin(), counts_.end(), wider.begin() + (first_ - first));
  counts_ = std::move(wider);
  first_ = first;
}

ExponentialHistogram FineBuckets::histogram(std::size_t max_buckets) const {
  ExponentialHistogram histogram(max_buckets);
  if (zero_count_ > 0) histogram.add(FineIndex::kZero, zero_count_);
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > 0) histogram.add(first_ + static_cast<std::int32_t>(i), counts_[i]);
  }
  return histogram;
}

}  // namespace metricsd
