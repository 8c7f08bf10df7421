// The crossing point between ingest and everyone who reads: asks the shards for copies and merges them.
// Where state is kept, the replicas are asked instead: what is shown is what is durable.
//
// A shard is held up for some milliseconds at a time to copy its state, never for merging or rendering. Every
// reader gets a value of its own. Each series in it is as it was at one moment, its buckets, count and sum
// together; two series may be of moments that lie as far apart as copying takes.
#pragma once

#include "checkpoint/keeper.h"
#include "ingest/shard.h"
#include "ingest_totals.h"
#include "live_runs.h"
#include "tasks/task_history.h"

#include <metricsd/models/catalog.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/registry.h>
#include <metricsd/models/snapshot.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace metricsd::server {

// The shards' states merged.
struct MergedState {
  IngestTotals totals;
  RegistryImage registry;
  LiveRuns live_runs;
  std::vector<ClientReport> clients;  // at most limits::kStatusClients of known_clients
  std::size_t known_clients = 0;
};

// Any thread.
class Snapshots {
 public:
  struct Options {
    std::string metrics_namespace;
    std::int64_t series_expiry_ns = 0;   // 0: never
    std::int64_t process_expiry_ns = 0;  // likewise
  };

  // All that is given by reference outlives this object. `keeper` is null where nothing is kept; `tasks` are
  // the shards'.
  Snapshots(const std::vector<std::unique_ptr<Shard>>& shards, const std::unique_ptr<Keeper>& keeper,
            std::shared_ptr<Catalog> catalog, std::shared_ptr<const TaskHistory> tasks, Options options,
            const Clock& clock);

  // Errc::timed_out where a shard does not answer within seconds, not_enough_memory where it could not copy.
  [[nodiscard]] Result<MergedState> collect(ReportParts parts);

  // Everything a scrape shows, the daemon's own metrics included. Errors as collect().
  [[nodiscard]] Result<Snapshot> metrics();
  // What is to be shown of tasks.
  [[nodiscard]] const TaskHistory& tasks() const;
  // How long the answer to the last scrape took, for the next one to show.
  void note_scrape(std::int64_t duration_ns) { last_scrape_ns_ = duration_ns; }

 private:
  Result<std::vector<ShardReport>> reports(ReportParts parts);
  void expire_idle(RegistryImage& merged);
  void expire_processes(RegistryImage& merged);
  void let_go(SeriesKeys idle, std::int64_t before_ns);

  const std::vector<std::unique_ptr<Shard>>& shards_;
  const std::unique_ptr<Keeper>& keeper_;
  const std::shared_ptr<Catalog> catalog_;
  const std::shared_ptr<const TaskHistory> tasks_;  // as the shards have it now
  const Options options_;
  const Clock& clock_;
  std::mutex one_at_a_time_;  // for the large parts: a crowd of readers must not hold as many of them
  std::atomic<std::int64_t> last_scrape_ns_ = -1;
};

}  // namespace metricsd::server
