#include "live_runs.h"

#include "ingest_totals.h"

#include <metricsd/models/labels.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace metricsd::server {
namespace {

// The entry under `key`; in a map that is full a new key gets the entry `__overflow__`.
template <class V>
V& entry_or_overflow(std::map<std::string, V, std::less<>>& entries, std::string_view key,
                     std::size_t limit) {
  const auto found = entries.find(key);
  if (found != entries.end()) return found->second;
  return entries[std::string(entries.size() < limit ? key : kOverflowLabel)];
}

std::uint64_t saturated(Uint128 value) {
  return static_cast<std::uint64_t>(std::min<Uint128>(value, std::numeric_limits<std::uint64_t>::max()));
}

double in_milliseconds(std::uint64_t ns) {
  return static_cast<double>(ns) / static_cast<double>(kNsPerMs);
}

double seconds_between(const Moment& from, const Moment& to) {
  return static_cast<double>(to.monotonic_ns - from.monotonic_ns) / static_cast<double>(kNsPerSecond);
}

}  // namespace

void LiveOperation::apply(const OperationMetric& operation) {
  ++counts_.total;
  sizes_.apply(operation.object_size_bytes);
  if (!operation.success) return;
  ++counts_.successful;
  const auto duration_ns = static_cast<std::uint64_t>(operation.duration_ns);
  durations_ns_.apply(duration_ns);
  durations_ms_.apply(in_milliseconds(duration_ns));
}

void LiveOperation::merge(const LiveOperation& other) {
  counts_.total += other.counts_.total;
  counts_.successful += other.counts_.successful;
  durations_ns_.merge(other.durations_ns_);
  sizes_.merge(other.sizes_);
  durations_ms_.merge(other.durations_ms_);
}

std::optional<Statistics> LiveOperation::duration_statistics() const {
  if (durations_ns_.count() == 0) return std::nullopt;
  Statistics statistics;
  statistics.count = durations_ns_.count();
  statistics.min = in_milliseconds(durations_ns_.min());
  statistics.max = in_milliseconds(durations_ns_.max());
  statistics.mean = durations_ns_.mean(kNsPerMs);
  statistics.stddev = durations_ns_.stddev(kNsPerMs);
  for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
    // A bucket's middle may lie outside of what was seen.
    const double estimate = durations_ms_.quantile(kPercentiles[i].per_mille / 1000.0);
    statistics.percentiles[i] = std::clamp(estimate, statistics.min, statistics.max);
  }
  return statistics;
}

std::optional<SizeStatistics> LiveOperation::size_statistics() const {
  if (sizes_.count() == 0) return std::nullopt;
  return SizeStatistics{
      .min = sizes_.min(), .max = sizes_.max(), .mean = sizes_.mean(), .total = saturated(sizes_.sum())};
}

GroupSummary LiveOperation::summary(double seconds) const {
  GroupSummary group;
  group.operations = counts_;
  group.duration_ms = duration_statistics();
  group.object_size_bytes = size_statistics();
  if (seconds > 0) group.requests_per_second = static_cast<double>(counts_.total) / seconds;
  return group;
}

void LiveRun::apply(const OperationMetric& operation) {
  entry_or_overflow(operations, operation.operation_type, limits::kLiveOperations).apply(operation);
  if (!operation.success) {
    ++entry_or_overflow(errors, error_code_or_unknown(operation), limits::kLiveErrorCodes);
  }
}

void LiveRun::merge(const LiveRun& other) {
  if (other.first.monotonic_ns < first.monotonic_ns) first = other.first;
  if (other.last.monotonic_ns > last.monotonic_ns) last = other.last;
  connections += other.connections;
  for (const auto& [type, operation] : other.operations) {
    entry_or_overflow(operations, type, limits::kLiveOperations).merge(operation);
  }
  for (const auto& [code, count] : other.errors)
    entry_or_overflow(errors, code, limits::kLiveErrorCodes) += count;
  for (const auto& [sink, causes] : other.dropped) {
    for (const auto& [cause, count] : causes) server::add_dropped(dropped, sink, cause, count);
  }
}

OperationCounts LiveRun::counts() const {
  OperationCounts sum;
  for (const auto& [type, operation] : operations) {
    sum.total += operation.counts().total;
    sum.successful += operation.counts().successful;
  }
  return sum;
}

RunSummary LiveRun::summary() const {
  RunSummary summary;
  summary.method = SummaryMethod::exponential_histogram;
  summary.test_run_id = run.test_run_id;
  summary.test_name = run.test_name;
  summary.start_time = run.start_time ? run.start_time : first.wall;
  if (!is_live()) summary.end_time = last.wall;
  summary.duration_seconds = seconds_between(first, last);
  summary.dropped = dropped;

  LiveOperation overall;
  for (const auto& [type, operation] : operations) {
    overall.merge(operation);
    summary.by_operation.emplace(type, operation.summary(summary.duration_seconds));
  }
  summary.overall = overall.summary(summary.duration_seconds);
  summary.errors_by_code.insert(errors.begin(), errors.end());
  return summary;
}

void LiveRuns::join(const Run& run, const Moment& now) {
  LiveRun& live = at(run, now);
  live.run = run;
  ++live.connections;
}

void LiveRuns::leave(std::string_view run_id, const Moment& now) {
  const auto found = runs_.find(run_id);
  if (found == runs_.end()) return;  // it was evicted
  found->second.last = now;
  if (found->second.connections > 0) --found->second.connections;
}

void LiveRuns::apply(const Run& run, const OperationMetric& operation, const Moment& now) {
  at(run, now).apply(operation);
}

void LiveRuns::add_dropped(const Run& run, std::string_view sink, std::string_view cause, std::uint64_t count,
                           const Moment& now) {
  server::add_dropped(at(run, now).dropped, sink, cause, count);
}

void LiveRuns::merge(const LiveRuns& other) {
  for (const auto& [id, theirs] : other.runs_) {
    const auto found = runs_.find(id);
    if (found != runs_.end()) {
      found->second.merge(theirs);
    } else {
      make_room();
      runs_.emplace(id, theirs);
    }
  }
}

LiveRuns LiveRuns::heads() const {
  LiveRuns copy;
  for (const auto& [id, live] : runs_) {
    LiveRun head;
    head.run = live.run;
    head.first = live.first;
    head.last = live.last;
    head.connections = live.connections;
    copy.runs_.emplace(id, std::move(head));
  }
  return copy;
}

const LiveRun* LiveRuns::find(std::string_view run_id) const {
  const auto found = runs_.find(run_id);
  return found == runs_.end() ? nullptr : &found->second;
}

const LiveRun* LiveRuns::newest() const {
  const auto found = std::max_element(runs_.begin(), runs_.end(), [](const auto& a, const auto& b) {
    return a.second.first.monotonic_ns < b.second.first.monotonic_ns;
  });
  return found == runs_.end() ? nullptr : &found->second;
}

LiveRun& LiveRuns::at(const Run& run, const Moment& now) {
  const auto found = runs_.find(run.test_run_id);
  if (found != runs_.end()) {
    found->second.last = now;
    return found->second;
  }
  make_room();
  LiveRun fresh;
  fresh.run = run;
  fresh.first = now;
  fresh.last = now;
  return runs_.emplace(run.test_run_id, std::move(fresh)).first->second;
}

// The run that ended and was heard of longest ago goes; where none has ended, the one longest silent.
void LiveRuns::make_room() {
  if (runs_.size() < limits::kLiveRuns) return;
  const auto goes_before = [](const auto& a, const auto& b) {
    if (a.second.is_live() != b.second.is_live()) return !a.second.is_live();
    return a.second.last.monotonic_ns < b.second.last.monotonic_ns;
  };
  runs_.erase(std::min_element(runs_.begin(), runs_.end(), goes_before));
}

}  // namespace metricsd::server
