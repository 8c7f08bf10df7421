#include <metricsd/models/limits.h>
#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>
#include <metricsd/models/statistics/fine_buckets.h>

#include <algorithm>
#include <limits>

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

std::vector<Bucket> FineBuckets::buckets() const {
  std::vector<Bucket> buckets;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > 0) buckets.push_back({first_ + static_cast<std::int32_t>(i), counts_[i]});
  }
  return buckets;
}

// zeros (u64), buckets
void FineBuckets::save(StateWriter& out) const {
  out.u64(zero_count_);
  PackedBuckets(buckets()).save(out);
}

FineBuckets FineBuckets::load(StateReader& in) {
  FineBuckets loaded;
  loaded.zero_count_ = in.u64();
  const std::vector<Bucket> buckets = PackedBuckets::load(in, limits::kLiveBuckets);
  if (buckets.empty()) return loaded;
  const std::int32_t first = buckets.front().index;
  const std::int32_t last = buckets.back().index;
  const FineIndex& index = FineIndex::table();
  if (first < index.of(std::numeric_limits<double>::denorm_min()) ||
      last > index.of(std::numeric_limits<double>::max()) ||
      last - first >= static_cast<std::int32_t>(limits::kLiveBuckets)) {
    in.fail();
    return {};
  }
  loaded.cover(first, last);
  std::uint64_t count = loaded.zero_count_;
  for (const Bucket& bucket : buckets) {
    if (bucket.count > std::numeric_limits<std::uint64_t>::max() - count) in.fail();
    count += bucket.count;
    loaded.counts_[static_cast<std::size_t>(bucket.index - loaded.first_)] = bucket.count;
  }
  return loaded;
}

ExponentialHistogram FineBuckets::histogram(std::size_t max_buckets) const {
  ExponentialHistogram histogram(max_buckets);
  if (zero_count_ > 0) histogram.add(FineIndex::kZero, zero_count_);
  for (const Bucket& bucket : buckets()) histogram.add(bucket.index, bucket.count);
  return histogram;
}

}  // namespace metricsd
