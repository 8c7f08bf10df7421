#include "metric_deltas.h"

#include <metricsd/models/limits.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

namespace metricsd::client {
namespace {

constexpr std::size_t kMessageBytes = std::size_t{16} << 10;

// At least what a row takes as JSON, roughly.
std::size_t bytes_of(const ipc::Sample& row) {
  constexpr std::size_t kNumber = 24;
  std::size_t bytes = 3 * kNumber;
  for (const std::string& label : row.labels) bytes += label.size() + 3;
  if (row.delta)
    bytes += kNumber * (4 + row.delta->buckets.size() + 2 * row.delta->exponential.bucket_count());
  return bytes;
}

template <class T>
T load(T& cell) {
  return std::atomic_ref(cell).load(std::memory_order_acquire);
}

ipc::Sample row_of(const MetricSeries& series, double value) {
  return {series.family->id, series.labels, {value}, {}};
}

}  // namespace

void MetricDeltas::refresh() {
  registry_->refresh(view_);
  told_.resize(view_.series.size());
  left_ = view_.series.size();
}

bool MetricDeltas::next(ipc::SamplesMessage& message) {
  message = {};
  std::size_t bytes = 0;
  for (; left_ > 0 && bytes < kMessageBytes && message.samples.size() + 1 < limits::kSampleRows; --left_) {
    next_ %= view_.series.size();
    const std::size_t before = message.samples.size();
    append_rows(*view_.series[next_], told_[next_], message.samples);
    for (std::size_t i = before; i < message.samples.size(); ++i) bytes += bytes_of(message.samples[i]);
    ++next_;
  }
  return !message.samples.empty();
}

void MetricDeltas::begin_connection() {
  has_listener_ = true;
  for (Told& told : told_) {
    told.gauge = GaugeCell::kUnset;
    if (told.whole == 0 && told.rest == 0) told.is_there = false;
  }
}

std::vector<ipc::DefineMessage> MetricDeltas::take_definitions() {
  std::vector<ipc::DefineMessage> definitions;
  for (; defined_ < view_.families.size(); ++defined_) {
    definitions.push_back({view_.families[defined_]->id, *view_.families[defined_]->spec});
  }
  return definitions;
}

void MetricDeltas::append_rows(const MetricSeries& series, Told& told, std::vector<ipc::Sample>& rows) {
  switch (series.family->spec->kind) {
    case Kind::counter: return append_counter(series, told, rows);
    case Kind::gauge: return append_gauge(series, told, rows);
    case Kind::histogram: return append_histogram(series, told, rows);
  }
}

void MetricDeltas::append_counter(const MetricSeries& series, Told& told,
                                  std::vector<ipc::Sample>& rows) const {
  std::uint64_t whole = 0;
  double rest = 0;
  for (const auto& block : view_.blocks) {
    CounterCell& cell = block->counters()[series.index];
    whole += load(cell.whole);
    rest += load(cell.rest);
  }
  // A daemon takes no more at once.
  const std::uint64_t more = std::min(whole - told.whole, limits::kWhole - 1);
  const double value = static_cast<double>(more) + (rest - told.rest);
  if (!(value > 0) && (told.is_there || !has_listener_)) return;
  rows.push_back(row_of(series, value));
  told.is_there = true;
  told.whole += more;
  told.rest += value - static_cast<double>(more);  // what rounding took is still to be told
}

void MetricDeltas::append_gauge(const MetricSeries& series, Told& told, std::vector<ipc::Sample>& rows) {
  const double value = series.gauge->value.load(std::memory_order_relaxed);
  if (std::isnan(value) || value == told.gauge) return;
  rows.push_back(row_of(series, value));
  told.gauge = value;
}

void MetricDeltas::append_histogram(const MetricSeries& series, Told& told, std::vector<ipc::Sample>& rows) {
  const auto append = [&](HistogramDelta delta) {
    rows.push_back({series.family->id, series.labels, {}, std::move(delta)});
  };
  if (HistogramDelta delta = cells_since(series, told); delta.exponential.count() != 0 || delta.sum > 0) {
    append(std::move(delta));
  }
  if (auto aside = registry_->take_set_aside(series)) {
    append({aside->sum, std::move(aside->counts), std::move(aside->exponential)});
  }
}

// The counts before the sums: whose count is seen is in the sum.
HistogramDelta MetricDeltas::cells_since(const MetricSeries& series, Told& told) {
  const BucketTable& table = *series.family->table;
  totals_.assign(table.cells(), 0);
  told.counts.resize(table.cells());
  double sum = 0;
  bool whole_sum = true;
  for (const auto& block : view_.blocks) {
    HistogramCell* cell = load(block->histograms()[series.index]);
    if (cell == nullptr) continue;
    for (std::size_t i = 0; i < totals_.size(); ++i) totals_[i] += load(cell->counts()[i]);
    const std::optional<double> of_cell = cell->sum();
    whole_sum = whole_sum && of_cell.has_value();
    sum += of_cell.value_or(0);
  }
  HistogramDelta delta;
  if (whole_sum && sum > told.sum) {
    delta.sum = sum - told.sum;
    told.sum = sum;
  }
  delta.buckets.resize(series.family->spec->bounds.size() + 1);
  std::uint64_t zero_count = 0;
  std::vector<Bucket> buckets;
  for (std::size_t i = 0; i < totals_.size(); ++i) {
    const std::uint64_t more = totals_[i] - std::exchange(told.counts[i], totals_[i]);
    if (more == 0) continue;
    delta.buckets[table.classic(i)] += more;
    if (i == BucketTable::kZeroCell) {
      zero_count = more;
    } else if (!buckets.empty() && buckets.back().index == table.exponential(i)) {
      buckets.back().count += more;
    } else {
      buckets.push_back({table.exponential(i), more});
    }
  }
  auto exponential = ExponentialHistogram::of_buckets(BucketTable::kScale, zero_count, buckets);
  if (exponential) delta.exponential = *std::move(exponential);
  return delta;
}

}  // namespace metricsd::client
