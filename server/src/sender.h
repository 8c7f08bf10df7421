// What the daemon knows of one connection's sender: state that dies with the connection. What outlives it is
// the client's (clients.h).
#pragma once

#include "clients.h"
#include "live_runs.h"
#include "operation_fold.h"
#include "tasks/task_history.h"

#include <metricsd/models/registry.h>
#include <metricsd/models/run.h>
#include <metricsd/models/statistics/summary.h>

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace metricsd::server {

template <class K>
using FamilyPointer = Family<K>*;
// A family that a peer defined, whatever its kind.
using DefinedFamily = VariantOfKinds<FamilyPointer>;

// The aggregator's; one thread.
struct Sender {
  explicit Sender(Gauge::Owner sender_id) : id(sender_id) {}

  Gauge::Owner id;                   // unique over all shards: the owner of its gauges
  Run run;                           // its names and its start, no more; plain senders': all empty
  LiveRun* live_run = nullptr;       // between run_start and run_end: where its operations count
  std::optional<LabelValues> users;  // labels of the active_users series it has a part in
  std::unordered_map<std::uint32_t, DefinedFamily> defined;  // by the sender's own ids
  std::unordered_set<Family<Gauge>*> gauges;  // of these: where it has values, which go with it
  DropCounts dropped;                         // the totals it told last
  TaskHistory::Told tasks;

  Client* client = nullptr;  // after its hello
  // Where the entries of the batch before are counted; they mostly are the next batch's too.
  std::vector<OperationSeries*> batch_series;
  std::uint64_t batch_version = 0;  // Batch::shared_version of these
  std::uint64_t batch_epoch = 0;    // OperationFold::epoch() of these
};

}  // namespace metricsd::server
