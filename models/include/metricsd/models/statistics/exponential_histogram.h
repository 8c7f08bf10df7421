// A histogram whose bucket bounds are powers of base = 2^(2^-scale): relative error is the same everywhere.
// Bucket i holds base^i < value <= base^(i+1), as OpenTelemetry's exponential histogram and Prometheus'
// native histograms have it
// (https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram).
//
// Sparse: only buckets that hold something cost memory. When more than `max_buckets` would, the scale is
// lowered by one (two neighbours become one) until they fit. Merging is addition at the lower of two scales.
// Neither the order of values nor how they were spread over merged histograms changes the result.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/statistics/fine_index.h>
#include <metricsd/models/statistics/packed_buckets.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace metricsd {

class StateReader;
class StateWriter;

// Remembers where the buckets of one histogram stood when they were counted in last. A histogram checks what
// it is told, so a memory that is empty, old or another's costs time and nothing else.
class BucketHints {
 public:
  // Spread so that neighbours, of which most histograms consist, and powers of 2, which many sizes are, have
  // places of their own (Knuth, The Art of Computer Programming 6.4: Fibonacci hashing).
  [[nodiscard]] std::uint8_t& position(std::int32_t bucket) {
    return positions_[static_cast<std::uint32_t>(bucket) * 0x9E3779B9U >> 24];
  }

 private:
  std::array<std::uint8_t, 256> positions_{};
};

// A plain value; one thread at a time.
class ExponentialHistogram {
 public:
  static constexpr int kMaxScale = FineIndex::kScale;  // relative error 0.14 %
  static constexpr int kMinScale = -10;                // every double in three buckets

  // At kMinScale three buckets are kept even where `max_buckets` is less.
  explicit ExponentialHistogram(std::size_t max_buckets = limits::kExponentialBuckets, int scale = kMaxScale);

  // One of these buckets, all of them, whatever a limit says. Any numbers may come: Errc::out_of_range where
  // no values can have been counted so (indices ascend; no count is 0; all of them are at most 2^53
  // together).
  [[nodiscard]] static Result<ExponentialHistogram> of_buckets(int scale, std::uint64_t zero_count,
                                                               std::span<const Bucket> buckets);

  // `value` is finite and >= 0; zero has a bucket of its own.
  void apply(double value, std::uint64_t times = 1);
  // Counts one value whose FineIndex the caller knows, in its bucket; add_count() of as many values follows
  // before anything else is asked.
  void put(std::int32_t fine_index, BucketHints& hints);
  void add_count(std::uint64_t values) { count_ += values; }
  // Counts values in the bucket `fine_index`.
  void add(std::int32_t fine_index, std::uint64_t times);
  void merge(const ExponentialHistogram& other);
  // Lowers the scale by `steps`; never below kMinScale.
  void downscale(int steps);

  [[nodiscard]] int scale() const { return scale_; }
  [[nodiscard]] std::uint64_t zero_count() const { return zero_count_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // The buckets that hold something, zero's aside; indices ascend.
  [[nodiscard]] std::size_t bucket_count() const { return buckets_.size(); }
  // Calls `visit` with each one's index and count.
  template <class Visit>
  void for_each_bucket(const Visit& visit) const {
    for (const Bucket& bucket : buckets_.unpacked()) visit(bucket.index, bucket.count);
  }

  // The value at rank (count - 1) * q, 0 <= q <= 1, interpolated between neighbours (type 7), to within the
  // scale's relative error; 0 of an empty one.
  [[nodiscard]] double quantile(double q) const;

  // The bucket of a finite value > 0 at `scale`, exact: bounds count as the doubles next to base^i.
  [[nodiscard]] static std::int32_t index_of(double value, int scale);
  // base^index at `scale`, correctly rounded: what bucket `index` excludes and bucket `index - 1` includes.
  // Infinite above the greatest double, 0 (or rounded to what is left of the precision) below the normal
  // ones.
  [[nodiscard]] static double lower_bound(std::int32_t index, int scale);

  void save(StateWriter& out) const;
  // Takes any bytes: an empty one, and the reader has failed, where save() cannot have written them.
  [[nodiscard]] static ExponentialHistogram load(StateReader& in);

  bool operator==(const ExponentialHistogram&) const = default;

 private:
  std::size_t count_at(std::int32_t index, std::uint64_t times);
  void put_by_search(std::int32_t index, std::uint8_t& hint);
  void hold(std::vector<Bucket> buckets);
  [[nodiscard]] double value_at(std::uint64_t rank) const;
  [[nodiscard]] bool could_hold(std::span<const Bucket> buckets) const;

  PackedBuckets buckets_;
  std::uint64_t zero_count_ = 0;
  std::uint64_t count_ = 0;
  std::uint32_t max_buckets_;
  std::int32_t scale_;
};

inline void ExponentialHistogram::put(std::int32_t fine_index, BucketHints& hints) {
  if (fine_index == FineIndex::kZero) {
    ++zero_count_;
    return;
  }
  const std::int32_t index = fine_index >> (kMaxScale - scale_);
  std::uint8_t& hint = hints.position(index);
  if (!buckets_.increment(hint, index)) [[unlikely]]
    put_by_search(index, hint);
}

}  // namespace metricsd
