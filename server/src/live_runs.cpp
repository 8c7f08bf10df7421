#include "live_runs.h"

#include "ingest_totals.h"
#include "running_clock.h"

#include <metricsd/models/labels.h>
#include <metricsd/models/limits.h>

#include <algorithm>
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

double in_milliseconds(std::uint64_t ns) {
  return static_cast<double>(ns) / static_cast<double>(kNsPerMs);
}

double seconds_between(const Moment& from, const Moment& to) {
  return static_cast<double>(to.monotonic_ns - from.monotonic_ns) / static_cast<double>(kNsPerSecond);
}

// Entries that many share: they are always there and take nobody's place.
bool is_shared(std::string_view run_id) {
  return run_id.empty() || run_id == kOverflowLabel;
}

void add_counts(OperationCounts& counts, const OperationCounts& more) {
  counts.total += more.total;
  counts.successful += more.successful;
}

}  // namespace

void LiveOperation::add(const OperationTally& tally, bool success) {
  counts_.total += tally.count();
  sizes_.merge(tally.sizes);
  if (!success) return;
  counts_.successful += tally.count();
  transferred_bytes_ += tally.sizes.sum();
  durations_ns_.merge(tally.durations_ns);
}

void LiveOperation::merge(const LiveOperation& other) {
  add_counts(counts_, other.counts_);
  transferred_bytes_ += other.transferred_bytes_;
  durations_ns_.merge(other.durations_ns_);
  sizes_.merge(other.sizes_);
  durations_.merge(other.durations_);
}

std::optional<Statistics> LiveOperation::duration_statistics() const {
  if (durations_ns_.count() == 0) return std::nullopt;
  Statistics statistics;
  statistics.count = durations_ns_.count();
  statistics.min = in_milliseconds(durations_ns_.min());
  statistics.max = in_milliseconds(durations_ns_.max());
  statistics.mean = durations_ns_.mean(kNsPerMs);
  statistics.stddev = durations_ns_.stddev(kNsPerMs);
  const ExponentialHistogram seconds = durations_.histogram(limits::kLiveBuckets);
  for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
    // A bucket's middle may lie outside of what was seen.
    const double estimate = seconds.quantile(kPercentiles[i].per_mille / 1000.0) * 1000;
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
  group.bytes_transferred = saturated(transferred_bytes_);
  group.duration_ms = duration_statistics();
  group.object_size_bytes = size_statistics();
  if (seconds > 0) group.requests_per_second = static_cast<double>(counts_.total) / seconds;
  return group;
}

void LivePlace::add(const OperationTally& tally, const Moment& now) const {
  const bool success = errors == nullptr;
  run->last = now;
  run->has_changed = true;
  run->counts.total += tally.count();
  if (success) run->counts.successful += tally.count();
  operation->add(tally, success);
  if (!success) *errors += tally.count();
}

LivePlace LiveRun::place(std::string_view operation_type, bool success, std::string_view error_code) {
  return {.run = this,
          .operation = &entry_or_overflow(operations, operation_type, limits::kLiveOperations),
          .errors = success ? nullptr : &entry_or_overflow(errors, error_code, limits::kLiveErrorCodes)};
}

void LiveRun::merge(const LiveRun& other) {
  if (other.first.monotonic_ns < first.monotonic_ns) first = other.first;
  if (other.last.monotonic_ns > last.monotonic_ns) last = other.last;
  connections += other.connections;
  add_counts(counts, other.counts);
  for (const auto& [type, operation] : other.operations) {
    entry_or_overflow(operations, type, limits::kLiveOperations).merge(operation);
  }
  for (const auto& [code, count] : other.errors)
    entry_or_overflow(errors, code, limits::kLiveErrorCodes) += count;
  for (const auto& [sink, causes] : other.dropped) {
    for (const auto& [cause, count] : causes) server::add_dropped(dropped, sink, cause, count);
  }
}

void LiveRun::add_dropped(std::string_view sink, std::string_view cause, std::uint64_t count) {
  server::add_dropped(dropped, sink, cause, count);
  has_changed = true;
}

RunSummary LiveRun::summary(const Moment& now) const {
  const bool goes_on = is_live() || run.test_run_id.empty();
  RunSummary summary;
  summary.method = SummaryMethod::exponential_histogram;
  summary.test_run_id = run.test_run_id;
  summary.test_name = run.test_name;
  summary.start_time = run.start_time ? run.start_time : first.wall;
  if (!goes_on) summary.end_time = last.wall;
  summary.duration_seconds = seconds_between(first, goes_on ? now : last);
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

LiveRun& LiveRuns::join(const Run& run, const Moment& now) {
  const bool has_place = runs_.contains(run.test_run_id) || is_shared(run.test_run_id) || make_room();
  const std::string_view kept_id = has_place ? std::string_view(run.test_run_id) : kOverflowLabel;
  LiveRun& live = at(kept_id, now);
  if (!is_shared(kept_id)) live.run = run;
  ++live.connections;
  return live;
}

void LiveRuns::leave(LiveRun& run, const Moment& now) {
  --run.connections;
  run.last = now;
  run.has_changed = true;
}

void LiveRuns::merge(const LiveRuns& other) {
  for (const auto& [id, theirs] : other.runs_) {
    const auto [at, is_new] = runs_.try_emplace(id, theirs);
    if (!is_new) at->second.merge(theirs);
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
    head.counts = live.counts;
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

LiveRun& LiveRuns::at(std::string_view run_id, const Moment& now) {
  auto found = runs_.find(run_id);
  if (found == runs_.end()) {
    found = runs_.try_emplace(std::string(run_id)).first;
    found->second.run.test_run_id = run_id;
    found->second.first = now;
  }
  found->second.last = now;
  found->second.has_changed = true;
  return found->second;
}

// Whether one more run may have an entry of its own. Of those that ended, the one longest silent makes room;
// a live one never does: its members would go on telling of it, and each would drive out another.
bool LiveRuns::make_room() {
  std::size_t own = 0;
  auto goes = runs_.end();
  for (auto it = runs_.begin(); it != runs_.end(); ++it) {
    if (is_shared(it->first)) continue;
    ++own;
    if (it->second.is_live()) continue;
    if (goes == runs_.end() || it->second.last.monotonic_ns < goes->second.last.monotonic_ns) goes = it;
  }
  if (own < limits::kLiveRuns) return true;
  if (goes == runs_.end()) return false;
  runs_.erase(goes);
  ++generation_;
  return true;
}

// ---- Saved state ----------------------------------------------------------------------------------------
//
//   runs      = count id* count run*                     all that there are, and those that changed
//   run       = id name start scenario workload driver moment moment connections counts
//               count (type operation)* count (code u64)* drops
//   start     = 0 | 1 i64                                nanoseconds of the wall clock
//   moment    = i64 i64                                  the wall clock, and the daemon's
//   counts    = total successful
//   operation = counts u128 moments moments buckets

namespace {

constexpr std::size_t kLongestRunText = 64 * 1024;  // a line's
constexpr std::size_t kMostRuns = limits::kLiveRuns + 2;

void save_counts(StateWriter& out, const OperationCounts& counts) {
  out.u64(counts.total);
  out.u64(counts.successful);
}

OperationCounts load_counts(StateReader& in) {
  OperationCounts counts;
  counts.total = in.u64();
  counts.successful = in.u64(counts.total);
  return counts;
}

void save_moment(StateWriter& out, const Moment& moment) {
  out.i64(moment.wall.ns);
  out.i64(moment.monotonic_ns);
}

Moment load_moment(StateReader& in) {
  const std::int64_t wall_ns = in.i64();
  return {.wall = {wall_ns}, .monotonic_ns = load_running_ns(in)};
}

}  // namespace

void LiveOperation::save(StateWriter& out) const {
  save_counts(out, counts_);
  out.u128(transferred_bytes_);
  durations_ns_.save(out);
  sizes_.save(out);
  durations_.save(out);
}

LiveOperation LiveOperation::load(StateReader& in) {
  LiveOperation operation;
  operation.counts_ = load_counts(in);
  operation.transferred_bytes_ = in.u128();
  operation.durations_ns_ = Moments::load(in);
  operation.sizes_ = Moments::load(in);
  operation.durations_ = FineBuckets::load(in);
  return operation;
}

void LiveRun::save(StateWriter& out) const {
  out.text(run.test_run_id);
  out.text(run.test_name);
  out.u8(run.start_time ? 1 : 0);
  if (run.start_time) out.i64(run.start_time->ns);
  for (const std::string* text : {&run.scenario, &run.workload_type, &run.driver}) out.text(*text);
  save_moment(out, first);
  save_moment(out, last);
  out.u64(connections);
  save_counts(out, counts);
  out.u64(operations.size());
  for (const auto& [type, operation] : operations) {
    out.text(type);
    operation.save(out);
  }
  out.u64(errors.size());
  for (const auto& [code, count] : errors) {
    out.text(code);
    out.u64(count);
  }
  save_drop_counts(out, dropped);
}

LiveRun LiveRun::load(StateReader& in) {
  LiveRun live;
  live.run.test_run_id = in.text(kLongestRunText);
  live.run.test_name = in.text(kLongestRunText);
  if (in.u8() != 0) live.run.start_time = Timestamp{in.i64()};
  for (std::string* text : {&live.run.scenario, &live.run.workload_type, &live.run.driver}) {
    *text = in.text(kLongestRunText);
  }
  live.first = load_moment(in);
  live.last = load_moment(in);
  live.connections = in.u64();
  live.counts = load_counts(in);
  for (std::size_t left = in.count(limits::kLiveOperations + 1, 2); left > 0 && !in.failed(); --left) {
    const std::string type(in.text(limits::kTypeName));
    live.operations.insert_or_assign(type, LiveOperation::load(in));
  }
  for (std::size_t left = in.count(limits::kLiveErrorCodes + 1, 2); left > 0 && !in.failed(); --left) {
    const std::string code(in.text(limits::kErrorCode));
    live.errors.insert_or_assign(code, in.u64());
  }
  live.dropped = load_drop_counts(in);
  return live;
}

void LiveRuns::save(StateWriter& out, bool whole) {
  out.u64(runs_.size());
  for (const auto& [id, run] : runs_) out.text(id);
  const auto is_saved = [whole](const auto& entry) { return whole || entry.second.has_changed; };
  out.u64(static_cast<std::uint64_t>(std::count_if(runs_.begin(), runs_.end(), is_saved)));
  for (auto& entry : runs_) {
    if (!is_saved(entry)) continue;
    out.text(entry.first);
    entry.second.save(out);
    entry.second.has_changed = false;
  }
}

void LiveRuns::load(StateReader& in) {
  std::map<std::string, LiveRun, std::less<>> loaded;
  for (std::size_t left = in.count(kMostRuns, 1); left > 0 && !in.failed(); --left) {
    const std::string id(in.text(limits::kRunId));
    auto known = runs_.extract(id);
    if (known.empty()) {
      loaded.try_emplace(id);
    } else {
      loaded.insert(std::move(known));
    }
  }
  runs_ = std::move(loaded);
  for (std::size_t left = in.count(kMostRuns, 2); left > 0 && !in.failed(); --left) {
    const std::string_view id = in.text(limits::kRunId);
    LiveRun run = LiveRun::load(in);
    const auto known = runs_.find(id);
    if (known == runs_.end()) return in.fail();
    known->second = std::move(run);
  }
}

void LiveRuns::restore(const LiveRuns& others, std::int64_t ago_ns) {
  for (const auto& [id, theirs] : others.runs_) {
    if (!runs_.contains(id) && !is_shared(id) && !make_room()) continue;
    LiveRun run = theirs;
    run.connections = 0;
    run.first.monotonic_ns -= ago_ns;
    run.last.monotonic_ns -= ago_ns;
    const auto [at, is_new] = runs_.try_emplace(id, run);
    if (!is_new) at->second.merge(run);
    at->second.has_changed = true;
  }
}

}  // namespace metricsd::server
