// Statistics of runs while they go on: what /api/v1/summary and /api/v1/runs show.
//
// Counts, extremes, means and deviations are exact; percentiles come from an exponential histogram for each
// operation type (relative error at most 0.14 %). Memory is bounded: limits::kLiveRuns runs of
// limits::kLiveOperations types.
#pragma once

#include <metricsd/models/operation.h>
#include <metricsd/models/registry.h>
#include <metricsd/models/run.h>
#include <metricsd/models/statistics/exponential_histogram.h>
#include <metricsd/models/statistics/moments.h>
#include <metricsd/models/statistics/summary.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace metricsd::server {

// The operations of one type in one run.
class LiveOperation {
 public:
  void apply(const OperationMetric& operation);
  void merge(const LiveOperation& other);

  [[nodiscard]] const OperationCounts& counts() const { return counts_; }
  // Rates are per `seconds`; where that is 0 there is none.
  [[nodiscard]] GroupSummary summary(double seconds) const;

 private:
  [[nodiscard]] std::optional<Statistics> duration_statistics() const;
  [[nodiscard]] std::optional<SizeStatistics> size_statistics() const;

  OperationCounts counts_;
  Moments durations_ns_;  // of successful operations
  Moments sizes_;
  ExponentialHistogram durations_ms_{limits::kLiveBuckets};  // of successful operations
};

// One run, or what plain senders reported (the run "").
struct LiveRun {
  Run run;
  Moment first;                   // when it was first heard of
  Moment last;                    // when it was last heard of
  std::uint64_t connections = 0;  // that have started it and not ended it
  std::map<std::string, LiveOperation, std::less<>> operations;
  std::map<std::string, std::uint64_t, std::less<>> errors;  // by code
  DropCounts dropped;

  void apply(const OperationMetric& operation);
  void merge(const LiveRun& other);

  [[nodiscard]] bool is_live() const { return connections > 0; }
  [[nodiscard]] OperationCounts counts() const;
  [[nodiscard]] RunSummary summary() const;
};

// One thread; copies may be handed to another.
class LiveRuns {
 public:
  // A connection takes part in `run`, or leaves it.
  void join(const Run& run, const Moment& now);
  void leave(std::string_view run_id, const Moment& now);

  void apply(const Run& run, const OperationMetric& operation, const Moment& now);
  void add_dropped(const Run& run, std::string_view sink, std::string_view cause, std::uint64_t count,
                   const Moment& now);
  void merge(const LiveRuns& other);

  // A copy that knows which runs there are and nothing of their operations: cheap.
  [[nodiscard]] LiveRuns heads() const;
  [[nodiscard]] const std::map<std::string, LiveRun, std::less<>>& runs() const { return runs_; }
  // Null where there is no such run.
  [[nodiscard]] const LiveRun* find(std::string_view run_id) const;
  // The run first heard of last; null where there is none.
  [[nodiscard]] const LiveRun* newest() const;

 private:
  LiveRun& at(const Run& run, const Moment& now);
  void make_room();

  std::map<std::string, LiveRun, std::less<>> runs_;
};

}  // namespace metricsd::server
