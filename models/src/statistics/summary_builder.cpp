#include "group_summary.h"
#include "group_table.h"
#include "record_store.h"
#include "window_grid.h"

#include <metricsd/models/labels.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/saturating.h>
#include <metricsd/models/statistics/summary_builder.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

namespace metricsd {
namespace {

// So many are always collected: the tables of selecting them by radix would be larger.
constexpr std::size_t kFewValues = std::size_t{1} << 14;

// From `begin` to `end` in seconds, both in whole microseconds; 0 where `end` is before.
double seconds_between(std::int64_t begin, std::int64_t end) {
  const std::int64_t whole_us = std::max<std::int64_t>(saturating_difference(end, begin), 0) / 1000;
  return static_cast<double>(whole_us) / 1e6;
}

std::int64_t window_length_ns(double seconds) {
  constexpr double kMicrosecond = 1e-6;
  constexpr std::int64_t kLongest = kLongestWindowNs / kNsPerSecond;
  const double bounded = seconds > kMicrosecond ? std::min(seconds, static_cast<double>(kLongest))
                                                : kMicrosecond;  // NaN is short, too
  return std::llround(bounded * 1e6) * 1000;
}

// When an operation ran, as far as it says so; what is missing follows from its duration.
struct Interval {
  std::optional<std::int64_t> start_ns;
  std::optional<std::int64_t> end_ns;
};

Interval interval_of(const OperationView& operation) {
  Interval interval;
  if (operation.timestamp_start) interval.start_ns = operation.timestamp_start->to_microseconds().ns;
  if (operation.timestamp_end) interval.end_ns = operation.timestamp_end->to_microseconds().ns;
  if (!interval.start_ns && interval.end_ns) {
    interval.start_ns = saturating_difference(*interval.end_ns, operation.duration_ns);
  }
  if (!interval.end_ns && interval.start_ns) {
    interval.end_ns = saturating_sum(*interval.start_ns, operation.duration_ns);
  }
  return interval;
}

// As given, or by definition; none where either figure it stands for is 0.
std::optional<double> throughput_in_statistics(const OperationView& operation) {
  if (operation.object_size_bytes == 0 || operation.duration_ns <= 0) return std::nullopt;
  const std::optional<double>& given = operation.throughput_mbps;
  const bool usable = given && std::isfinite(*given) && *given >= 0;
  if (usable) return *given + 0.0;  // which makes -0, whose bits order wrongly, a 0
  return throughput_of(operation.object_size_bytes, operation.duration_ns);
}

std::optional<std::uint64_t> response_ns(const OperationView& operation) {
  if (!operation.timestamp_end || !operation.intended_start) return std::nullopt;
  const std::int64_t ns = saturating_difference(operation.timestamp_end->to_microseconds().ns,
                                                operation.intended_start->to_microseconds().ns);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0));
}

Record record_of(const OperationView& operation, std::uint32_t group, const Interval& interval) {
  Record record;
  record.group = group;
  record.success = operation.success;
  if (interval.start_ns) record[Column::start] = to_column(*interval.start_ns);
  record[Column::duration] = static_cast<std::uint64_t>(std::max<std::int64_t>(operation.duration_ns, 0));
  record[Column::size] = std::min(operation.object_size_bytes, kAbsent - 1);
  if (const auto throughput = throughput_in_statistics(operation)) {
    record[Column::throughput] = std::bit_cast<std::uint64_t>(*throughput);
  }
  if (const auto response = response_ns(operation)) record[Column::response] = *response;
  return record;
}

}  // namespace

struct SummaryBuilder::State {
  explicit State(const Options& options)
      : store(options.memory_bytes, options.spill_directory),
        in_memory(std::max(kFewValues, options.memory_bytes / sizeof(std::uint64_t))),
        window_ns(window_length_ns(options.window_seconds)) {}

  Result<> add(const OperationView& operation);
  void note_time(const Interval& interval);
  void count_error(std::string_view code);

  Result<RunSummary> finish(const Run& run, DropCounts dropped);
  Result<> add_groups(RunSummary& summary) const;
  Result<> add_windows(RunSummary& summary) const;
  Result<> add_windows_of(std::span<const Slice> group, const WindowGrid& grid, RunSummary& summary) const;

  RecordStore store;
  std::size_t in_memory;  // values held at once while ranks are selected: then the records are in the file
  std::int64_t window_ns;
  GroupTable groups;
  std::map<std::string, std::uint64_t, std::less<>> errors_by_code;
  std::optional<std::int64_t> first_start_ns;
  std::optional<std::int64_t> last_end_ns;
};

Result<> SummaryBuilder::State::add(const OperationView& operation) {
  const Interval interval = interval_of(operation);
  const std::uint32_t group = groups.id_of(operation.operation_type, operation.workload_type);
  if (Result<> added = store.add(record_of(operation, group, interval)); !added) return added;
  note_time(interval);
  if (!operation.success) count_error(error_code_or_unknown(operation.error_code));
  return {};
}

void SummaryBuilder::State::note_time(const Interval& interval) {
  if (!interval.start_ns || !interval.end_ns) return;
  first_start_ns = std::min(first_start_ns.value_or(*interval.start_ns), *interval.start_ns);
  last_end_ns = std::max(last_end_ns.value_or(*interval.end_ns), *interval.end_ns);
}

void SummaryBuilder::State::count_error(std::string_view code) {
  auto found = errors_by_code.find(code);
  if (found == errors_by_code.end()) {
    const bool room = errors_by_code.size() < limits::kSummaryErrorCodes;
    found = errors_by_code.try_emplace(std::string(room ? code : kOverflowLabel)).first;
  }
  ++found->second;
}

Result<RunSummary> SummaryBuilder::State::finish(const Run& run, DropCounts dropped) {
  if (const Result<> sealed = store.seal(); !sealed) return sealed.error();
  RunSummary summary;
  summary.test_run_id = run.test_run_id;
  summary.test_name = run.test_name;
  const auto resolve = [](std::optional<Timestamp> given, std::optional<std::int64_t> seen_ns) {
    if (!given && seen_ns) given = Timestamp{*seen_ns};
    return given ? std::optional(given->to_microseconds()) : std::nullopt;
  };
  summary.start_time = resolve(run.start_time, first_start_ns);
  summary.end_time = resolve(run.end_time, last_end_ns);
  if (summary.start_time && summary.end_time) {
    summary.duration_seconds = seconds_between(summary.start_time->ns, summary.end_time->ns);
  }
  summary.dropped = std::move(dropped);
  summary.errors_by_code.insert(errors_by_code.begin(), errors_by_code.end());
  if (const Result<> added = add_groups(summary); !added) return added.error();
  if (const Result<> added = add_windows(summary); !added) return added.error();
  return summary;
}

// The whole, and each operation type over all its workload types.
Result<> SummaryBuilder::State::add_groups(RunSummary& summary) const {
  GroupRows overall;
  std::map<std::string_view, GroupRows> by_operation;
  for (const Slice& slice : store.slices()) {
    overall.add(slice.success, slice.extent);
    by_operation[groups.names()[slice.group].operation_type].add(slice.success, slice.extent);
  }
  Result<GroupSummary> group = summarize(store, overall, summary.duration_seconds, in_memory);
  if (!group) return group.error();
  summary.overall = *group;
  for (const auto& [operation_type, rows] : by_operation) {
    group = summarize(store, rows, summary.duration_seconds, in_memory);
    if (!group) return group.error();
    summary.by_operation.emplace(operation_type, *group);
  }
  return {};
}

Result<> SummaryBuilder::State::add_windows(RunSummary& summary) const {
  if (!summary.start_time) return {};
  const Result<WindowGrid> grid = fit_windows(store, {summary.start_time->ns, window_ns});
  if (!grid) return grid.error();
  const std::span<const Slice> slices = store.slices();
  for (auto begin = slices.begin(); begin != slices.end();) {
    const auto end =
        std::find_if(begin, slices.end(), [&](const Slice& s) { return s.group != begin->group; });
    if (Result<> added = add_windows_of({begin, end}, *grid, summary); !added) return added;
    begin = end;
  }
  std::sort(summary.windows.begin(), summary.windows.end(),
            [](const WindowSummary& a, const WindowSummary& b) {
              return std::tie(a.window_start, a.operation_type, a.workload_type) <
                     std::tie(b.window_start, b.operation_type, b.workload_type);
            });
  return {};
}

Result<> SummaryBuilder::State::add_windows_of(std::span<const Slice> group, const WindowGrid& grid,
                                               RunSummary& summary) const {
  std::map<std::int64_t, GroupRows> windows;
  for (const Slice& slice : group) {
    const Result<> split = split_by_window(
        store, slice.extent, grid,
        [&](std::int64_t index, const Extent& rows) { windows[index].add(slice.success, rows); });
    if (!split) return split;
  }
  const GroupName& name = groups.names()[group.front().group];
  for (const auto& [index, rows] : windows) {
    const Timestamp start{grid.start_of(index)};
    const std::int64_t end_ns = std::min(grid.start_of(index + 1), summary.end_time->ns);
    const double seconds = seconds_between(start.ns, end_ns);
    Result<GroupSummary> window = summarize(store, rows, seconds, in_memory);
    if (!window) return window.error();
    summary.windows.push_back({start, seconds, name.operation_type, name.workload_type, *window});
  }
  return {};
}

SummaryBuilder::SummaryBuilder(const Options& options) : state_(std::make_unique<State>(options)) {}
SummaryBuilder::~SummaryBuilder() = default;
SummaryBuilder::SummaryBuilder(SummaryBuilder&&) noexcept = default;
SummaryBuilder& SummaryBuilder::operator=(SummaryBuilder&&) noexcept = default;

Result<> SummaryBuilder::add(const OperationView& operation) {
  return state_->add(operation);
}

Result<RunSummary> SummaryBuilder::finish(const Run& run, DropCounts dropped) {
  return state_->finish(run, std::move(dropped));
}

}  // namespace metricsd
