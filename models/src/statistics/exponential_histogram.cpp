#include <metricsd/models/statistics/exponential_histogram.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

namespace metricsd {
namespace {

// How far an index at kMaxScale is shifted to become one at `scale`: with each step two neighbours become
// one.
int shift_to(int scale) {
  return ExponentialHistogram::kMaxScale - scale;
}

}  // namespace

ExponentialHistogram::ExponentialHistogram(std::size_t max_buckets, int scale)
    : max_buckets_(max_buckets), scale_(std::clamp(scale, kMinScale, kMaxScale)) {}

Result<ExponentialHistogram> ExponentialHistogram::of_buckets(int scale, std::uint64_t zero_count,
                                                              std::vector<std::int32_t> indices,
                                                              std::vector<std::uint64_t> counts) {
  if (scale < kMinScale || scale > kMaxScale || indices.size() != counts.size()) return Errc::out_of_range;
  ExponentialHistogram built(indices.size(), scale);
  built.indices_ = std::move(indices);
  built.counts_ = std::move(counts);
  built.zero_count_ = built.count_ = zero_count;
  for (const std::uint64_t count : built.counts_) {
    if (count > limits::kWhole || built.count_ > limits::kWhole) return Errc::out_of_range;
    built.count_ += count;
  }
  if (built.count_ > limits::kWhole || !built.is_consistent()) return Errc::out_of_range;
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
  const std::size_t at = position_of(index);
  if (at < indices_.size() && indices_[at] == index) {
    counts_[at] += times;
    return at;
  }
  make_room();
  indices_.insert(indices_.begin() + static_cast<std::ptrdiff_t>(at), index);
  counts_.insert(counts_.begin() + static_cast<std::ptrdiff_t>(at), times);
  shrink_to_limit();
  return at;
}

void ExponentialHistogram::put_by_search(std::int32_t index, std::uint8_t& hint) {
  const std::size_t at = count_at(index, 1);
  hint = static_cast<std::uint8_t>(std::min<std::size_t>(at, std::numeric_limits<std::uint8_t>::max()));
}

// For one more bucket. Doubling would leave most histograms, which have some 160, half empty.
void ExponentialHistogram::make_room() {
  if (indices_.size() < indices_.capacity()) return;
  const std::size_t size = indices_.size();
  const std::size_t more = std::clamp<std::size_t>(size / 4, 4, 1024);
  indices_.reserve(std::min(size + more, std::max(size, max_buckets_) + 1));
  counts_.reserve(indices_.capacity());
}

// Where the bucket is, or belongs. The buckets in use mostly have no gaps between them: then it is known at
// once, and the search, which a processor cannot predict, is spared.
std::size_t ExponentialHistogram::position_of(std::int32_t index) const {
  if (!indices_.empty() && index >= indices_.front()) {
    const auto without_gaps = static_cast<std::size_t>(index - indices_.front());
    if (without_gaps < indices_.size() && indices_[without_gaps] == index) return without_gaps;
  }
  return static_cast<std::size_t>(std::lower_bound(indices_.begin(), indices_.end(), index) -
                                  indices_.begin());
}

void ExponentialHistogram::merge(const ExponentialHistogram& other) {
  downscale(scale_ - other.scale_);
  add_buckets(other, other.scale_ - scale_);
  zero_count_ += other.zero_count_;
  count_ += other.count_;
  shrink_to_limit();
}

void ExponentialHistogram::add_buckets(const ExponentialHistogram& other, int shift) {
  std::vector<std::int32_t> indices;
  std::vector<std::uint64_t> counts;
  indices.reserve(indices_.size() + other.indices_.size());
  counts.reserve(indices.capacity());
  const auto append = [&](std::int32_t index, std::uint64_t count) {
    if (!indices.empty() && indices.back() == index) {
      counts.back() += count;
    } else {
      indices.push_back(index);
      counts.push_back(count);
    }
  };
  std::size_t mine = 0;
  for (std::size_t theirs = 0; theirs < other.indices_.size(); ++theirs) {
    const std::int32_t index = other.indices_[theirs] >> shift;
    for (; mine < indices_.size() && indices_[mine] <= index; ++mine) append(indices_[mine], counts_[mine]);
    append(index, other.counts_[theirs]);
  }
  for (; mine < indices_.size(); ++mine) append(indices_[mine], counts_[mine]);
  indices_ = std::move(indices);
  counts_ = std::move(counts);
}

void ExponentialHistogram::downscale(int steps) {
  steps = std::min(steps, scale_ - kMinScale);
  if (steps <= 0) return;
  scale_ -= steps;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < indices_.size(); ++i) {
    const std::int32_t index = indices_[i] >> steps;
    if (kept > 0 && indices_[kept - 1] == index) {
      counts_[kept - 1] += counts_[i];
    } else {
      indices_[kept] = index;
      counts_[kept] = counts_[i];
      ++kept;
    }
  }
  indices_.resize(kept);
  counts_.resize(kept);
}

void ExponentialHistogram::shrink_to_limit() {
  while (indices_.size() > max_buckets_ && scale_ > kMinScale) downscale(1);
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
  for (std::size_t i = 0; i < indices_.size(); ++i) {
    seen += counts_[i];
    if (rank >= seen) continue;
    const double base = lower_bound(1, scale_);
    return lower_bound(indices_[i], scale_) * (2 / (1 + 1 / base));
  }
  return 0;  // no rank of this histogram
}

void ExponentialHistogram::save(ByteWriter& out) const {
  out.u64(max_buckets_);
  out.u8(static_cast<std::uint8_t>(scale_ - kMinScale));
  out.u64(zero_count_);
  out.u64(indices_.size());
  for (std::size_t i = 0; i < indices_.size(); ++i) {
    out.u32(static_cast<std::uint32_t>(indices_[i]));
    out.u64(counts_[i]);
  }
}

Result<ExponentialHistogram> ExponentialHistogram::load(ByteReader& in) {
  const std::uint64_t max_buckets = in.u64();
  const int scale = kMinScale + in.u8();
  ExponentialHistogram loaded(max_buckets, scale);
  loaded.zero_count_ = loaded.count_ = in.u64();
  const std::size_t size = in.count(sizeof(std::uint32_t) + sizeof(std::uint64_t));
  if (max_buckets > limits::kLiveBuckets || size > limits::kLiveBuckets || scale > kMaxScale) in.fail();
  for (std::size_t i = 0; in.ok() && i < size; ++i) {
    loaded.indices_.push_back(static_cast<std::int32_t>(in.u32()));
    loaded.counts_.push_back(in.u64());
    loaded.count_ += loaded.counts_.back();
    if (loaded.count_ < loaded.counts_.back()) in.fail();  // more than 2^64 - 1 in all
  }
  if (!in.ok() || !loaded.is_consistent()) return Errc::corrupt_state;
  return loaded;
}

// What holds of every histogram that apply() and merge() have built.
bool ExponentialHistogram::is_consistent() const {
  if (indices_.empty()) return true;
  const bool fits = indices_.size() <= max_buckets_ || scale_ == kMinScale;
  const bool ascending =
      std::adjacent_find(indices_.begin(), indices_.end(), std::greater_equal<>()) == indices_.end();
  const bool holds_doubles =
      indices_.front() >= index_of(std::numeric_limits<double>::denorm_min(), scale_) &&
      indices_.back() <= index_of(std::numeric_limits<double>::max(), scale_);
  return fits && ascending && holds_doubles && std::find(counts_.begin(), counts_.end(), 0) == counts_.end();
}

}  // namespace metricsd
