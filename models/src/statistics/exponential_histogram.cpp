#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>
#include <metricsd/models/statistics/exponential_histogram.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

namespace metricsd {
namespace {

// How far an index at kMaxScale is shifted to become one at `scale`: with each step two neighbours become
// one.
int shift_to(int scale) {
  return ExponentialHistogram::kMaxScale - scale;
}

// To a scale coarser by `steps`; neighbours of the same index become one.
void coarsen(std::vector<Bucket>& buckets, int steps) {
  std::size_t kept = 0;
  for (const Bucket& bucket : buckets) {
    const std::int32_t index = bucket.index >> steps;
    if (kept > 0 && buckets[kept - 1].index == index) {
      buckets[kept - 1].count += bucket.count;
    } else {
      buckets[kept++] = {index, bucket.count};
    }
  }
  buckets.resize(kept);
}

}  // namespace

ExponentialHistogram::ExponentialHistogram(std::size_t max_buckets, int scale)
    : max_buckets_(static_cast<std::uint32_t>(
          std::min<std::size_t>(max_buckets, std::numeric_limits<std::uint32_t>::max()))),
      scale_(std::clamp(scale, kMinScale, kMaxScale)) {}

Result<ExponentialHistogram> ExponentialHistogram::of_buckets(int scale, std::uint64_t zero_count,
                                                              std::span<const Bucket> buckets) {
  if (scale < kMinScale || scale > kMaxScale) return Errc::out_of_range;
  ExponentialHistogram built(buckets.size(), scale);
  built.zero_count_ = built.count_ = zero_count;
  for (const Bucket& bucket : buckets) {
    if (bucket.count > limits::kWhole || built.count_ > limits::kWhole) return Errc::out_of_range;
    built.count_ += bucket.count;
  }
  if (built.count_ > limits::kWhole || !built.could_hold(buckets)) return Errc::out_of_range;
  built.buckets_ = PackedBuckets(buckets);
  return built;
}

std::int32_t ExponentialHistogram::index_of(double value, int scale) {
  return FineIndex::table().of(value) >> shift_to(scale);
}

double ExponentialHistogram::lower_bound(std::int32_t index, int scale) {
  return FineIndex::table().lower_bound(std::int64_t{index} << shift_to(scale));
}

void ExponentialHistogram::apply(double value, std::uint64_t times) {
  assert(std::isfinite(value) && value >= 0);
  if (times > 0) add(value == 0 ? FineIndex::kZero : FineIndex::table().of(value), times);
}

void ExponentialHistogram::add(std::int32_t fine_index, std::uint64_t times) {
  count_ += times;
  if (fine_index == FineIndex::kZero) {
    zero_count_ += times;
  } else {
    count_at(fine_index >> shift_to(scale_), times);
  }
}

// Where the bucket stands now; meaningless where the scale fell.
std::size_t ExponentialHistogram::count_at(std::int32_t index, std::uint64_t times) {
  const std::size_t at = buckets_.position_of(index);
  if (buckets_.holds(at, index)) {
    buckets_.add(at, times);
  } else if (buckets_.size() < max_buckets_ || scale_ == kMinScale) {
    buckets_.insert(at, {index, times}, max_buckets_);
  } else {
    std::vector<Bucket> buckets = buckets_.unpacked();
    buckets.insert(buckets.begin() + static_cast<std::ptrdiff_t>(at), {index, times});
    hold(std::move(buckets));
  }
  return at;
}

void ExponentialHistogram::put_by_search(std::int32_t index, std::uint8_t& hint) {
  const std::size_t at = count_at(index, 1);
  hint = static_cast<std::uint8_t>(std::min<std::size_t>(at, std::numeric_limits<std::uint8_t>::max()));
}

// Buckets of the scale there is, which is lowered until they are few enough.
void ExponentialHistogram::hold(std::vector<Bucket> buckets) {
  for (; buckets.size() > max_buckets_ && scale_ > kMinScale; --scale_) coarsen(buckets, 1);
  buckets_ = PackedBuckets(buckets);
}

void ExponentialHistogram::merge(const ExponentialHistogram& other) {
  downscale(scale_ - other.scale_);
  std::vector<Bucket> theirs = other.buckets_.unpacked();
  if (other.scale_ > scale_) coarsen(theirs, other.scale_ - scale_);
  const std::vector<Bucket> ours = buckets_.unpacked();
  std::vector<Bucket> merged(ours.size() + theirs.size());
  const auto by_index = [](const Bucket& a, const Bucket& b) { return a.index < b.index; };
  std::merge(ours.begin(), ours.end(), theirs.begin(), theirs.end(), merged.begin(), by_index);
  coarsen(merged, 0);
  zero_count_ += other.zero_count_;
  count_ += other.count_;
  hold(std::move(merged));
}

void ExponentialHistogram::downscale(int steps) {
  steps = std::min(steps, scale_ - kMinScale);
  if (steps <= 0) return;
  scale_ -= steps;
  std::vector<Bucket> buckets = buckets_.unpacked();
  coarsen(buckets, steps);
  hold(std::move(buckets));
}

double ExponentialHistogram::quantile(double q) const {
  if (count_ == 0) return 0;
  const long double position = static_cast<long double>(q) * static_cast<long double>(count_ - 1);
  const auto rank = std::min(static_cast<std::uint64_t>(position), count_ - 1);
  const double low = value_at(rank);
  const double high = value_at(std::min(rank + 1, count_ - 1));
  return low + (high - low) * static_cast<double>(position - static_cast<long double>(rank));
}

// The harmonic midpoint of the bucket that holds `rank`: as far, relatively, from its upper as from its lower
// bound.
double ExponentialHistogram::value_at(std::uint64_t rank) const {
  if (rank < zero_count_) return 0;
  std::uint64_t seen = zero_count_;
  for (std::size_t at = 0; at < buckets_.size(); ++at) {
    const Bucket bucket = buckets_[at];
    seen += bucket.count;
    if (rank >= seen) continue;
    const double base = lower_bound(1, scale_);
    return lower_bound(bucket.index, scale_) * (2 / (1 + 1 / base));
  }
  return 0;  // no rank of this histogram
}

// most buckets (u64), scale above the least (u8), zeros (u64), buckets
void ExponentialHistogram::save(StateWriter& out) const {
  out.u64(max_buckets_);
  out.u8(static_cast<std::uint8_t>(scale_ - kMinScale));
  out.u64(zero_count_);
  buckets_.save(out);
}

ExponentialHistogram ExponentialHistogram::load(StateReader& in) {
  const std::uint64_t max_buckets = in.u64(limits::kLiveBuckets);
  const int scale = kMinScale + in.u8();
  if (scale > kMaxScale) in.fail();
  ExponentialHistogram loaded(max_buckets, scale);
  loaded.zero_count_ = loaded.count_ = in.u64();
  const std::vector<Bucket> buckets = PackedBuckets::load(in, limits::kLiveBuckets);
  for (const Bucket& bucket : buckets) {
    loaded.count_ += bucket.count;
    if (loaded.count_ < bucket.count) in.fail();  // more than 2^64 - 1 in all
  }
  if (in.failed() || !loaded.could_hold(buckets)) {
    in.fail();
    return ExponentialHistogram();
  }
  loaded.buckets_ = PackedBuckets(buckets);
  return loaded;
}

// What holds of the buckets of every histogram that apply() and merge() have built.
bool ExponentialHistogram::could_hold(std::span<const Bucket> buckets) const {
  if (buckets.empty()) return true;
  const auto is_empty = [](const Bucket& bucket) { return bucket.count == 0; };
  const auto do_not_ascend = [](const Bucket& a, const Bucket& b) { return a.index >= b.index; };
  const bool fit = buckets.size() <= max_buckets_ || scale_ == kMinScale;
  const bool hold_doubles =
      buckets.front().index >= index_of(std::numeric_limits<double>::denorm_min(), scale_) &&
      buckets.back().index <= index_of(std::numeric_limits<double>::max(), scale_);
  return fit && hold_doubles && !std::any_of(buckets.begin(), buckets.end(), is_empty) &&
         std::adjacent_find(buckets.begin(), buckets.end(), do_not_ascend) == buckets.end();
}

}  // namespace metricsd
