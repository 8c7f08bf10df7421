// An ingest shard: one thread that owns its sessions, its aggregator and its registry. No lock on the data
// path.
//
// What others want to know they ask by posting to it (report()); it answers with copies.
#pragma once

#include "../clients.h"
#include "../expiry.h"
#include "../ingest_totals.h"
#include "../live_runs.h"
#include "../log.h"
#include "../operation_families.h"
#include "session.h"

#include <metricsd/models/catalog.h>
#include <metricsd/models/clock.h>
#include <metricsd/models/registry.h>
#include <metricsd/models/unique_fd.h>

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace metricsd::server {

class Shard;

struct ShardOptions {
  FamilyOptions families;
  std::shared_ptr<Catalog> catalog;  // shared by all shards
  std::string store_id;              // of the daemon
  // All shards, of which this is number `index`: complete before any is started.
  const std::vector<std::unique_ptr<Shard>>& all;
  std::size_t index = 0;
};

// What a report holds beside the totals and the heads of the runs: the larger parts, where they are asked
// for.
struct ReportParts {
  bool registry = false;
  bool run_statistics = false;
  bool clients = false;
};

// A copy of a shard's state. The registry's is made in slices (RegistryCopier): a large one is of one moment
// series by series. Its histograms are without exponential buckets.
struct ShardReport {
  IngestTotals totals;
  std::optional<RegistryImage> registry;
  LiveRuns live_runs;                 // heads alone, unless statistics were asked for
  std::vector<ClientReport> clients;  // at most limits::kStatusClients
  std::size_t known_clients = 0;
};

// Given a function that takes the status document, calls it sometime, on any thread.
using StatusSource = std::function<void(std::function<void(std::string)>)>;

// Every member function may be called from any thread.
class Shard {
 public:
  // `clock` outlives the shard.
  Shard(ShardOptions options, const Clock& clock, Logger logger, StatusSource status_source);
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;
  // Stops.
  ~Shard();

  void start();
  // Serves a connected, non-blocking socket. `id` is unique over all shards.
  void adopt(UniqueFd connection, std::uint64_t id);
  // Goes on with a connection whose client belongs to this shard.
  void adopt(GreetedConnection connection);
  // The future throws what the making of the report threw.
  [[nodiscard]] std::future<ShardReport> report(ReportParts parts);
  // Lets series go, once the other shards agree: each of them is to be asked.
  void expire(std::shared_ptr<Expiry> expiry);
  // Connections adopted and not closed yet.
  [[nodiscard]] std::size_t connections() const;
  // Takes what lies in the sockets, for a bounded time, and closes them. Returns at once; reports are still
  // answered.
  void drain();
  // Ends the thread, once what was asked of it before is done.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace metricsd::server
