// Histogram: counts by classic bucket and by exponential bucket, with count and sum.
#pragma once

#include <metricsd/models/family.h>
#include <metricsd/models/kinds/bucket_finder.h>
#include <metricsd/models/shapes.h>
#include <metricsd/models/statistics/exponential_histogram.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace metricsd {

class StateReader;
class StateWriter;

// What a histogram grew by: values that were counted elsewhere.
struct HistogramDelta {
  double sum = 0;                      // finite, 0 or more
  std::vector<std::uint64_t> buckets;  // of each classic bucket alone; one more than bounds
  ExponentialHistogram exponential;    // of the same values

  // Whether a histogram of so many bounds can have grown so: both kinds of buckets hold the same number of
  // values, at most 2^53.
  [[nodiscard]] bool fits(std::size_t bounds) const;
};

class Histogram {
 public:
  static constexpr Kind kKind = Kind::histogram;

  // Bounds as validate(FamilySpec) wants them; shared with the family.
  explicit Histogram(const std::shared_ptr<const FamilySpec>& spec);

  // `value` is finite and >= 0. A value on a bound counts in that bound's bucket.
  void apply(double value);
  // Adds a delta that fits(). False, with nothing added, where there would be more than 2^53 values.
  [[nodiscard]] bool apply(const HistogramDelta& delta);

  // The same for many values, by who knows their places: put() each, then add_totals() of all, before
  // anything else is asked. `place` is of a finder with the family's bounds.
  void put(const BucketPlace& place, BucketHints& hints) {
    ++counts_[place.classic];
    exponential_.put(place.fine, hints);
  }
  void add_totals(std::uint64_t count, double sum);

  // Of the same bounds.
  void merge(const Histogram& other);
  [[nodiscard]] std::optional<Shape> show() const&;
  [[nodiscard]] std::optional<Shape> show() &&;
  // A copy that has no exponential buckets: a tenth of what there is to copy.
  [[nodiscard]] Histogram without_exponential() const;
  [[nodiscard]] bool is_held() const { return false; }

  void save(StateWriter& out) const;
  // Becomes what a histogram of the same bounds saved; where that cannot be, the reader has failed and the
  // histogram means nothing.
  void load(StateReader& in);

 private:
  Histogram(const Histogram& other, ExponentialHistogram exponential);
  void add_to_sum(double value);
  [[nodiscard]] double shown_sum() const;

  std::shared_ptr<const std::vector<double>> bounds_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  double sum_ = 0;
  double sum_error_ = 0;  // what rounding lost (Neumaier 1974), so that 10^8 small values still add up
  ExponentialHistogram exponential_;
};

}  // namespace metricsd
