// A cut: a shard's state at one moment as bytes, whole or what changed since the last cut.
//
//   cut = moment totals runs clients registry [tasks]     no bytes of a shard that nothing happened to
//
// moment is the daemon's time when it was made; the parts are as those who own them say. tasks stand in one
// shard's cuts, for all shards, where they have changed; versions before 2 of the file have none.
#pragma once

#include "../clients.h"
#include "../ingest_totals.h"
#include "../live_runs.h"
#include "../tasks/task_history.h"

#include <metricsd/models/registry.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::server {

// All of a shard that outlives it.
struct ShardState {
  Registry& registry;
  IngestTotals& totals;
  LiveRuns& live_runs;
  Clients& clients;
  TaskHistory* tasks = nullptr;  // null: another shard's
};

enum class Extent { changed, whole };

// Of all shards, in their order.
struct Cuts {
  std::vector<std::string> shards;
  std::int64_t pause_ns = 0;  // the longest that one of them kept its senders waiting
};
// Of one.
struct ShardCut {
  std::string bytes;
  std::int64_t pause_ns = 0;
};

void save_cut(std::string& out, const ShardState& state, Extent extent, const Moment& now);

// Takes over what one cut says; `wall` is when it was made. Nothing where none has written it: then part of
// it may be taken over, and the state is to be thrown away.
[[nodiscard]] std::optional<LoadReport> load_cut(std::string_view cut, const ShardState& state,
                                                 Timestamp wall);

}  // namespace metricsd::server
