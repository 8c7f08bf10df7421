// An ingest shard: one thread that owns its sessions, its aggregator and its registry. No lock on the data
// path.
//
// What others want to know they ask by posting to it (report()); it answers with copies.
#pragma once

#include "../adoption/fold_outcome.h"
#include "../adoption/prepared_segment.h"
#include "../adoption/segment_intake.h"
#include "../checkpoint/cut.h"
#include "../expiry.h"
#include "../log.h"
#include "../operation_families.h"
#include "../shard_report.h"
#include "session.h"

#include <metricsd/models/catalog.h>
#include <metricsd/models/clock.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/registry.h>

#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::server {

class Shard;

struct ShardOptions {
  FamilyOptions families;
  std::shared_ptr<Catalog> catalog;    // shared by all shards
  std::shared_ptr<TaskHistory> tasks;  // likewise; the first one saves it
  std::string store_id;                // of what the daemon counts into
  // Where state is kept beyond the daemon: something came; a client waits for it to be durable. Any thread.
  std::function<void()> note_change = nullptr;
  std::function<void()> hasten_checkpoint = nullptr;
  // All shards, of which this is number `index`: complete before any is started.
  const std::vector<std::unique_ptr<Shard>>& all;
  std::size_t index = 0;
  SegmentIntake segments{};                        // of the daemon
  std::size_t held_bytes = limits::kHeldForPeers;  // at most, for all its connections
};

// The number of the shard, of so many, that a client always belongs to: its streams are known in one place.
[[nodiscard]] std::size_t shard_of(uid_t uid, std::string_view client_id, std::size_t shards);

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

  // Before start(): goes on from what another process left behind, as Aggregator::restore() has it. A client
  // is the shard's that it belongs to.
  LoadReport restore(const ShardState& left, bool with_totals, std::int64_t ago_ns);
  void start();
  void adopt(Arrival arrival);
  // Goes on with a connection whose client belongs to this shard.
  void adopt(GreetedConnection connection);
  // The future throws what the making of the report threw.
  [[nodiscard]] std::future<ShardReport> report(ReportParts parts);
  // As bytes, what changed since the last cut, or all; nothing where nothing has changed. The future throws
  // what the making threw: then, and where nobody takes it, the next cut is to be a whole one.
  [[nodiscard]] std::future<ShardCut> cut(Extent extent);
  // What was cut last is durable: tells the clients.
  void settle();
  // Folds the segment of a client that is gone, between the sessions' turns. Its owner is no concern of ours.
  // `done` is called on the shard's thread, once that is durable; Errc::unexpected_message: the client spoke
  // again.
  void fold(std::shared_ptr<const PreparedSegment> segment, std::uint64_t id, FoldDone done);
  // Counts connections that were not let in.
  void count_refused(std::map<Errc, std::uint64_t> refused);
  // Calls `answer` on the shard's thread, behind what it was asked before.
  void probe(std::function<void()> answer);
  // Lets series go, once the other shards agree: each of them is to be asked.
  void expire(std::shared_ptr<Expiry> expiry);
  // Connections adopted and not closed yet.
  [[nodiscard]] std::size_t connections() const;
  // Takes what lies in the sockets, for a bounded time, and nothing more. Returns at once; reports and cuts
  // are still made.
  void drain();
  // Tells the clients how far they came, closes their connections and ends the thread, once what was asked of
  // it before is done.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace metricsd::server
