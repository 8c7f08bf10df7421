// Counts by FineIndex, for who counts often and shows seldom: finding a bucket is a subtraction. Costs 8
// bytes for each bucket between the least and the greatest value seen: 20 KiB where they lie a factor of
// 1,000 apart.
#pragma once

#include <metricsd/models/statistics/exponential_histogram.h>
#include <metricsd/models/statistics/fine_index.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace metricsd {

class StateReader;
class StateWriter;

// A plain value; one thread at a time.
class FineBuckets {
 public:
  // FineIndex::kZero counts a zero.
  void put(std::int32_t fine_index) {
    const auto at = static_cast<std::uint32_t>(fine_index) - static_cast<std::uint32_t>(first_);
    if (at < counts_.size()) [[likely]] {
      ++counts_[at];
    } else {
      put_outside(fine_index);
    }
  }
  void merge(const FineBuckets& other);

  void save(StateWriter& out) const;
  // Takes any bytes: empty, and the reader has failed, where save() cannot have written them, or where the
  // buckets would lie further apart than limits::kLiveBuckets.
  [[nodiscard]] static FineBuckets load(StateReader& in);

  // The same values, as fine as `max_buckets` allow.
  [[nodiscard]] ExponentialHistogram histogram(std::size_t max_buckets) const;

 private:
  [[nodiscard]] std::vector<Bucket> buckets() const;
  void put_outside(std::int32_t fine_index);
  void cover(std::int32_t first, std::int32_t last);

  std::int32_t first_ = 0;             // the index of the first of counts_
  std::vector<std::uint64_t> counts_;  // without gaps
  std::uint64_t zero_count_ = 0;
};

}  // namespace metricsd
