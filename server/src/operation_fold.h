// Folds operations into their families and into the run's live statistics, as fast as it can be done: all
// that operations with the same labels count in is found once and kept.
//
//   OperationSeries& series = fold.series(labels_of(operation), run);
//   fold.apply(series, duration_ns, object_size_bytes, retry_count, now);
//   fold.settle(now);
//
// Each operation is put in the buckets of its histograms at once; what all come to is gathered and counted by
// settle(), before anyone looks.
#pragma once

#include "live_runs.h"
#include "operation_families.h"
#include "operation_key.h"
#include "operation_tally.h"

#include <metricsd/models/registry.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace metricsd::server {

// All that operations with the same labels, in the same run, count in. Only OperationFold looks inside.
class OperationSeries {
 public:
  OperationSeries(const OperationKey& key, const OperationLabels& labels, LiveRun* run);

 private:
  friend class OperationFold;

  [[nodiscard]] bool matches(const OperationKey& key, const OperationLabels& labels) const {
    return key_ == key && (!key.has_long_text() || has_texts_of(labels));
  }
  [[nodiscard]] bool has_texts_of(const OperationLabels& labels) const;
  [[nodiscard]] OperationLabels labels() const;

  const OperationKey key_;
  LiveRun* const run_;  // null: plain senders'
  const std::string operation_type_, workload_type_, driver_, error_code_;
  const bool success_;

  // Found for the first operation of a chunk, and as long as nothing has gone since.
  OperationTargets targets_;
  LivePlace live_{};
  std::uint64_t generation_ = 0;
  std::int64_t found_ns_ = 0;

  OperationTally tally_;       // not settled yet
  std::uint64_t refused_ = 0;  // of the tally: counted as refused already
  BucketHints duration_hints_;
  BucketHints size_hints_;
};

// One thread: the registry's.
class OperationFold {
 public:
  // Everything given outlives the fold.
  OperationFold(OperationFamilies& families, LiveRuns& live_runs);

  // Stays where it is until keep_bounded().
  [[nodiscard]] OperationSeries& series(const OperationLabels& labels, LiveRun* run);

  void apply(OperationSeries& series, std::int64_t duration_ns, std::uint64_t object_size_bytes,
             std::uint64_t retry_count, const Moment& now) {
    if (series.tally_.count() == 0) begin(series, now);
    const BucketPlace duration = families_.place_of_duration(duration_ns);
    series.targets_.duration->state.put(duration, series.duration_hints_);
    series.targets_.size->state.put(families_.place_of_size(object_size_bytes), series.size_hints_);
    if (series.success_) series.live_.operation->put_duration(duration.fine);
    series.tally_.durations_ns.apply(static_cast<std::uint64_t>(duration_ns));
    series.tally_.sizes.apply(object_size_bytes);
    series.tally_.retries += retry_count;
  }

  // Counts what was gathered since the last time. Called before anyone looks at the families or the runs, and
  // before a run ends.
  void settle(const Moment& now);

  // Lets all go where they are many; nothing is gathered. References from before mean nothing then.
  void keep_bounded();
  // Grows when all went.
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::unique_ptr<OperationSeries> series;  // null: free
  };

  void begin(OperationSeries& series, const Moment& now);
  void find_targets(OperationSeries& series, std::uint64_t generation, const Moment& now);
  OperationSeries& add(std::size_t slot, std::uint64_t hash, std::unique_ptr<OperationSeries> series);
  void grow();
  [[nodiscard]] std::size_t first_slot(std::uint64_t hash) const { return hash >> shift_; }

  OperationFamilies& families_;
  LiveRuns& live_runs_;
  std::array<std::uint64_t, 10> multipliers_;  // random: nobody can choose texts that meet in one slot
  // Open addressing by the hash's first bits; a quarter at least is free.
  std::vector<Slot> slots_;
  unsigned shift_;
  std::size_t size_ = 0;
  std::uint64_t epoch_ = 0;
  std::vector<OperationSeries*> gathered_;  // with a tally
};

}  // namespace metricsd::server
