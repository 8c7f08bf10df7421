// Statistics of runs while they go on: what /api/v1/summary and /api/v1/runs show.
//
// Counts, extremes, means and deviations are exact; percentiles come from an exponential histogram for each
// operation type (relative error at most 0.14 %). Memory is bounded: a shard keeps limits::kLiveRuns runs of
// limits::kLiveOperations types, beside plain senders (the run "") and what had no room (`__overflow__`).
#pragma once

#include "operation_tally.h"

#include <metricsd/models/registry.h>
#include <metricsd/models/run.h>
#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>
#include <metricsd/models/statistics/fine_buckets.h>
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
  // Counts a successful operation's duration, given as the FineIndex of its seconds. Its part in the tally
  // follows.
  void put_duration(std::int32_t fine_index) { durations_.put(fine_index); }
  void add(const OperationTally& tally, bool success);
  void merge(const LiveOperation& other);

  void save(StateWriter& out) const;
  // The reader has failed where save() has not written it.
  [[nodiscard]] static LiveOperation load(StateReader& in);

  [[nodiscard]] const OperationCounts& counts() const { return counts_; }
  // Rates are per `seconds`; where that is 0 there is none.
  [[nodiscard]] GroupSummary summary(double seconds) const;

 private:
  [[nodiscard]] std::optional<Statistics> duration_statistics() const;
  [[nodiscard]] std::optional<SizeStatistics> size_statistics() const;

  OperationCounts counts_;
  Uint128 transferred_bytes_ = 0;  // of successful operations
  Moments durations_ns_;           // of successful operations
  Moments sizes_;
  FineBuckets durations_;  // of successful operations, in seconds as the histograms have them
};

struct LiveRun;

// Where operations of one type and outcome are counted in a run.
struct LivePlace {
  LiveRun* run = nullptr;
  LiveOperation* operation = nullptr;
  std::uint64_t* errors = nullptr;  // by code; null for successful ones

  void add(const OperationTally& tally, const Moment& now) const;
};

// One run, or what plain senders reported, or the runs that had no room.
struct LiveRun {
  Run run;
  Moment first;                   // when it was first heard of
  Moment last;                    // when it was last heard of
  std::uint64_t connections = 0;  // that have started it and not ended it
  OperationCounts counts;         // of all types
  std::map<std::string, LiveOperation, std::less<>> operations;
  std::map<std::string, std::uint64_t, std::less<>> errors;  // by code
  DropCounts dropped;
  bool has_changed = true;  // since it was saved

  // The place holds as long as the run. `error_code`: the failure's, "" of a success.
  [[nodiscard]] LivePlace place(std::string_view operation_type, bool success, std::string_view error_code);
  void merge(const LiveRun& other);
  void add_dropped(std::string_view sink, std::string_view cause, std::uint64_t count);

  void save(StateWriter& out) const;
  // The reader has failed where save() has not written it.
  [[nodiscard]] static LiveRun load(StateReader& in);

  [[nodiscard]] bool is_live() const { return connections > 0; }
  // `now` is not before what was told last. A run that goes on is summarized until then, one that ended until
  // its end. Plain senders announce no end: theirs goes on.
  [[nodiscard]] RunSummary summary(const Moment& now) const;
};

// One thread; copies may be handed to another.
class LiveRuns {
 public:
  // A connection takes part in `run`. Where its operations count until it leaves: in the run itself, or in
  // the run `__overflow__` where as many are live as may be.
  [[nodiscard]] LiveRun& join(const Run& run, const Moment& now);
  // The connection is no part of it any more.
  void leave(LiveRun& run, const Moment& now);
  // The run kept under this id, now heard of; "" is what plain senders report, who never join. It stays where
  // it is while generation() is the same.
  [[nodiscard]] LiveRun& at(std::string_view kept_id, const Moment& now);
  // Grows whenever a run goes. One with connections stays.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  // Adds another shard's. Nothing makes room: each shard has bounded its own.
  void merge(const LiveRuns& other);

  // Appends the runs that changed since the last save, or all, and says which there are.
  void save(StateWriter& out, bool whole);
  // Takes over what one save says; the reader has failed where none has written it.
  void load(StateReader& in);
  // Takes over what another process left behind `ago_ns` before: nobody is connected, and as many runs stay
  // as have room.
  void restore(const LiveRuns& others, std::int64_t ago_ns);

  // A copy that knows which runs there are and how many operations each had, no more: cheap.
  [[nodiscard]] LiveRuns heads() const;
  [[nodiscard]] const std::map<std::string, LiveRun, std::less<>>& runs() const { return runs_; }
  // Null where there is no such run.
  [[nodiscard]] const LiveRun* find(std::string_view run_id) const;
  // The run first heard of last; null where there is none.
  [[nodiscard]] const LiveRun* newest() const;

 private:
  bool make_room();

  std::map<std::string, LiveRun, std::less<>> runs_;
  std::uint64_t generation_ = 0;
};

}  // namespace metricsd::server
