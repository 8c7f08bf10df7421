#include <metricsd/models/kinds/histogram.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>

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

// Of what a client told, the sum may come before the values that it is of: until then there is nothing to
// sum.
double Histogram::shown_sum() const {
  return count_ == 0 ? 0 : std::clamp(sum_ + sum_error_, 0.0, std::numeric_limits<double>::max());
}

std::optional<Shape> Histogram::show() const& {
  return Buckets{bounds_, counts_, count_, shown_sum(), exponential_, {}};
}

std::optional<Shape> Histogram::show() && {
  return Buckets{std::move(bounds_), std::move(counts_), count_, shown_sum(), std::move(exponential_), {}};
}

Histogram Histogram::without_exponential() const {
  return {*this, ExponentialHistogram()};
}

// One more than bounds: counts (u64); sum (f64), what rounding lost of it (short); exponential buckets. The
// count is theirs.
void Histogram::save(StateWriter& out) const {
  for (const std::uint64_t count : counts_) out.u64(count);
  out.f64(sum_);
  out.short_f64(sum_error_);
  exponential_.save(out);
}

void Histogram::load(StateReader& in) {
  count_ = 0;
  for (std::uint64_t& count : counts_) {
    count = in.u64(std::numeric_limits<std::uint64_t>::max() - count_);
    count_ += count;
  }
  sum_ = in.f64();
  sum_error_ = in.short_f64();
  exponential_ = ExponentialHistogram::load(in);
  const bool is_sum = sum_ >= 0 && std::isfinite(sum_) && std::isfinite(sum_error_);
  if (!is_sum || exponential_.count() != count_) in.fail();
}

}  // namespace metricsd
