// All that keeps the daemon's state in its data directory: what an earlier life left there, the checkpoints
// of this one, and what of it is durable.
//
//   auto keeper = Keeper::open(directory, ...);      the directory is ours, and read
//   shards made with keeper->store_id() and hasten(); keeper->restore(shards); shards started
//   keeper->begin(...);                              all that was restored is in a new file, and shown
//   keeper->finish(...);                             the shards have drained: what they hold is durable
#pragma once

#include "../log.h"
#include "../running_clock.h"
#include "checkpoint_store.h"
#include "checkpointer.h"
#include "left_state.h"
#include "replica.h"
#include "shard_cuts.h"

#include <metricsd/models/catalog.h>
#include <metricsd/models/errors.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace metricsd::server {

// What is told of the restart.
struct RestoredFigures {
  Restored files;
  std::optional<Timestamp> saved_at;  // nothing where there was no state
  LoadReport series;
};

// The main thread's, save where it says otherwise.
class Keeper {
 public:
  // Claims the directory and reads it; `clock` goes on where the earlier life's ended. Errors, and `why`, as
  // CheckpointStore::claim().
  [[nodiscard]] static Result<std::unique_ptr<Keeper>> open(const std::filesystem::path& directory,
                                                            RunningClock& clock, Logger logger,
                                                            std::string& why);

  // Of what the daemon counts into. The one that was restored, unless some of what it acknowledged is lost.
  [[nodiscard]] const std::string& store_id() const { return head_.store_id; }
  // Hands what was left to shards that are not started, however many there were before.
  void restore(const std::vector<std::unique_ptr<Shard>>& shards);
  // Makes the first checkpoint, and from then on others. `shards` are started, and outlive the keeper's
  // finish(). An error where they gave no cut.
  [[nodiscard]] Result<> begin(const std::vector<std::unique_ptr<Shard>>& shards,
                               const std::shared_ptr<Catalog>& catalog, std::int64_t interval_ns);
  // Any thread, after begin(): as Checkpointer's.
  void note_change() { checkpointer_->note_change(); }
  void hasten() { checkpointer_->hasten(); }
  // The last checkpoint. Where the disk takes longer, the keeper cannot be destroyed.
  [[nodiscard]] LastCheckpoint finish(std::chrono::milliseconds patience) {
    return checkpointer_->finish(patience);
  }

  // Any thread, after begin().
  [[nodiscard]] const Replicas& replicas() const { return replicas_; }
  [[nodiscard]] CheckpointFigures figures() const { return checkpointer_->figures(); }
  [[nodiscard]] const RestoredFigures& restored() const { return restored_; }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

 private:
  Keeper(CheckpointStore store, RunningClock& clock, Logger logger);
  void read();
  void log_restored();

  const std::filesystem::path directory_;
  RunningClock& clock_;
  Logger logger_;
  std::optional<CheckpointStore> store_;  // until begin()
  std::optional<LeftState> left_;         // until restore()
  CheckpointHead head_;
  RestoredFigures restored_;
  Replicas replicas_;
  std::optional<ShardCuts> cuts_;
  std::unique_ptr<Checkpointer> checkpointer_;
};

}  // namespace metricsd::server
