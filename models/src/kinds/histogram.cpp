#include <metricsd/models/kinds/histogram.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace metricsd {

bool HistogramDelta::fits(std::size_t bounds) const {
  if (buckets.size() != bounds + 1 || !std::isfinite(sum) || sum < 0) return false;
  std::uint64_t left = exponential.count();
  if (left > limits::kWhole) return false;
  for (const std::uint64_t count : buckets) {
    if (count > left) return false;
    left -= count;
  }
  return left == 0;
}

Histogram::Histogram(const std::shared_ptr<const FamilySpec>& spec)
    : bounds_(spec, &spec->bounds), counts_(spec->bounds.size() + 1) {}

Histogram::Histogram(const Histogram& other, ExponentialHistogram exponential)
    : bounds_(other.bounds_),
      counts_(other.counts_),
      count_(other.count_),
      sum_(other.sum_),
      sum_error_(other.sum_error_),
      exponential_(std::move(exponential)) {}

void Histogram::apply(double value) {
  const auto bucket = std::lower_bound(bounds_->begin(), bounds_->end(), value) - bounds_->begin();
  ++counts_[static_cast<std::size_t>(bucket)];
  ++count_;
  add_to_sum(value);
  exponential_.apply(value);
}

void Histogram::add_totals(std::uint64_t count, double sum) {
  count_ += count;
  exponential_.add_count(count);
  add_to_sum(sum);
}

bool Histogram::apply(const HistogramDelta& delta) {
  if (count_ > limits::kWhole - delta.exponential.count()) return false;
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += delta.buckets[i];
  count_ += delta.exponential.count();
  add_to_sum(delta.sum);
  exponential_.merge(delta.exponential);
  return true;
}

void Histogram::add_to_sum(double value) {
  const double sum = sum_ + value;
  if (!std::isfinite(sum)) {  // saturates: an infinite sum would turn into NaN and stay it
    sum_ = std::numeric_limits<double>::max();
    sum_error_ = 0;
    return;
  }
  sum_error_ += sum_ >= value ? (sum_ - sum) + value : (value - sum) + sum_;
  sum_ = sum;
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  add_to_sum(other.sum_);
  sum_error_ += other.sum_error_;
  exponential_.merge(other.exponential_);
}

std::optional<Shape> Histogram::show() const& {
  return Buckets{bounds_, counts_, count_, sum_ + sum_error_, exponential_, {}};
}

std::optional<Shape> Histogram::show() && {
  return Buckets{std::move(bounds_), std::move(counts_),      count_,
                 sum_ + sum_error_,  std::move(exponential_), {}};
}

Histogram Histogram::without_exponential() const {
  return {*this, ExponentialHistogram()};
}

void Histogram::save(ByteWriter& out) const {
  out.u64(bounds_->size());
  for (const double bound : *bounds_) out.f64(bound);
  for (const std::uint64_t count : counts_) out.u64(count);
  out.f64(sum_);
  out.f64(sum_error_);
  exponential_.save(out);
}

Result<> Histogram::load(ByteReader& in) {
  std::vector<double> bounds(in.count(sizeof(double)));
  for (double& bound : bounds) bound = in.f64();
  std::vector<std::uint64_t> counts(bounds.size() + 1);
  std::uint64_t total = 0;
  for (std::uint64_t& count : counts) {
    count = in.u64();
    if (count > std::numeric_limits<std::uint64_t>::max() - total) in.fail();
    total += count;
  }
  const double sum = in.f64();
  const double sum_error = in.f64();
  Result<ExponentialHistogram> exponential = ExponentialHistogram::load(in);
  if (!in.ok() || !exponential || !std::isfinite(sum) || !std::isfinite(sum_error))
    return Errc::corrupt_state;
  if (exponential->count() != total) return Errc::corrupt_state;
  if (bounds != *bounds_) return {};
  counts_ = std::move(counts);
  count_ = total;
  sum_ = sum;
  sum_error_ = sum_error;
  exponential_ = *std::move(exponential);
  return {};
}

}  // namespace metricsd
