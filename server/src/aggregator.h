// The policy between what senders say and what is kept: validation, limits, refusals. Pure: no I/O, time
// comes from a Clock.
//
//   operation ------> families of the contract, the run's live statistics
//   users ----------> active_users, owned by the connection
//   define, samples > families of any name, through ids that the connection binds
//   run_start, _end > what the connection's operations belong to
//   heartbeat ------> losses, by difference to what the client, or the connection, told before
//   hello, batch ---> the client's streams, so that each record counts once
//   task_sample ----> the history of tasks, which all shards share
#pragma once

#include "checkpoint/cut.h"
#include "clients.h"
#include "ingest_totals.h"
#include "live_runs.h"
#include "operation_families.h"
#include "operation_fold.h"
#include "sender.h"
#include "tasks/task_history.h"

#include <metricsd/ipc/batch.h>
#include <metricsd/ipc/message.h>
#include <metricsd/models/clock.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/registry.h>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::server {

// The history of tasks, and whether this shard is the one that saves it.
struct SharedTasks {
  std::shared_ptr<TaskHistory> history = std::make_shared<TaskHistory>();
  bool is_saved_here = true;
};

// One shard's; one thread.
class Aggregator {
 public:
  // `clock` outlives the aggregator; the catalog is shared by all shards. `store_id` tells clients one store
  // from another.
  Aggregator(const FamilyOptions& options, const std::shared_ptr<Catalog>& catalog, const Clock& clock,
             std::string store_id = {}, Durability durability = Durability::of_the_daemon,
             SharedTasks tasks = {});
  Aggregator(const Aggregator&) = delete;
  Aggregator& operator=(const Aggregator&) = delete;

  // So many bytes have come. What they hold is applied next, and happened now: a clock costs more to read
  // than an operation to count.
  void begin_chunk(std::size_t bytes);
  // All of it is applied. Between chunks, and only then, what is asked of the aggregator includes everything.
  void end_chunk();

  void apply(const Sender& sender, const OperationView& operation, std::uint64_t unknown_fields);

  // Takes what is new of it, if the sender said hello. The error is that of a batch that is refused; what of
  // it was refused is counted.
  Result<> apply(Sender& sender, const ipc::Batch& batch);

  // The sender speaks for a client from now on, which answers with how far its streams are. The connection
  // that the client had before is closed already. A refusal is counted.
  Result<ipc::WelcomeMessage> greet(Sender& sender, uid_t uid, const ipc::HelloMessage& hello);
  [[nodiscard]] const std::string& store_id() const { return store_id_; }
  [[nodiscard]] bool knows(uid_t uid, std::string_view client_id) {
    return clients_.find(uid, client_id) != nullptr;
  }
  [[nodiscard]] bool has_forgotten(uid_t uid, std::string_view client_id) const {
    return clients_.has_forgotten(uid, client_id);
  }
  // What a client is answered who was forgotten.
  [[nodiscard]] ipc::WelcomeMessage forgotten() const {
    return {.store_id = store_id_, .streams = {}, .known = false, .forgotten = true};
  }
  // What a client is answered whose protocol this daemon does not speak.
  [[nodiscard]] ipc::WelcomeMessage highest_protocol() const {
    return {.store_id = store_id_, .streams = {}};
  }
  // The open connection of this client.
  [[nodiscard]] std::optional<Gauge::Owner> connection_of(uid_t uid, std::string_view client_id);

  // A message that is refused is counted; its error is for the log. Of a samples message good rows are taken
  // and bad ones refused one by one: the error is the last one's. Answers are the caller's: to StatusRequest,
  // FlushMessage and the HelloMessage that begins a connection, which goes to greet().
  Result<> apply(Sender& sender, const ipc::Message& message);

  // Counts a refusal.
  void refuse(Errc reason, std::uint64_t count = 1) {
    if (count == 0) return;
    totals_.rejected[reason] += count;
    has_changed_ = true;
  }

  void open() { ++totals_.connections; }
  // The connection is gone: its gauges and its part in a run go too.
  void close(Sender& sender);

  // Lets series go that were last told of before `before_ns` on the monotonic clock.
  void forget(const SeriesKeys& idle, std::int64_t before_ns) {
    registry_.forget(idle, before_ns);
    has_changed_ = true;
  }

  // Whether anything has come since the last cut that is worth one. Who asks for the status only looks: its
  // bytes are in the next one.
  [[nodiscard]] bool has_changed() const { return has_changed_; }
  // Appends a cut, between two chunks; nothing where nothing has changed since the last one.
  void cut(std::string& out, Extent extent);
  // What was cut so far is durable. The connections that are to hear of it.
  [[nodiscard]] std::vector<Gauge::Owner> settle() { return clients_.settle(); }
  // Before anything came: goes on from what another process left behind `ago_ns` before. `with_totals`: from
  // all that is no client's, too.
  LoadReport restore(const ShardState& left, bool with_totals, const Clients::IsOurs& is_ours,
                     std::int64_t ago_ns);

  [[nodiscard]] const Registry& registry() const { return registry_; }
  [[nodiscard]] const LiveRuns& live_runs() const { return live_runs_; }
  [[nodiscard]] const IngestTotals& totals() const { return totals_; }
  [[nodiscard]] const Clients& clients() const { return clients_; }

 private:
  Result<> handle(Sender& sender, const ipc::UsersMessage& message);
  Result<> handle(Sender& sender, const ipc::RunStartMessage& message);
  Result<> handle(Sender& sender, const ipc::RunEndMessage& message);
  Result<> handle(Sender& sender, const ipc::StatusRequest& message);
  Result<> handle(Sender& sender, const ipc::DefineMessage& message);
  Result<> handle(Sender& sender, const ipc::SamplesMessage& message);
  Result<> handle(Sender& sender, const ipc::HeartbeatMessage& message);
  Result<> handle(Sender& sender, const ipc::FlushMessage& message);
  Result<> handle(Sender& sender, const ipc::ByeMessage& message);
  Result<> handle(Sender& sender, const ipc::TaskSampleMessage& message);
  Result<> handle(Sender& sender, const ipc::UnknownMessage& message);
  // What does not belong where it stands: a daemon's own messages, a hello among others.
  Result<> handle(Sender& sender, const auto& message);

  Result<DefinedFamily> define(const FamilySpec& spec);
  [[nodiscard]] bool is_reserved(const FamilySpec& spec) const;
  Result<> apply_rows(Sender& sender, const ipc::SamplesMessage& message, std::uint64_t known);
  Result<Advance> advance(Sender& sender, const ipc::StreamPosition& position, std::uint64_t count);
  void fold(Sender& sender, const ipc::Batch& batch, std::uint64_t known);
  [[nodiscard]] ShardState state();
  void add_gap(const Sender& sender, std::uint64_t records);
  Result<> count_losses(Sender& sender, const DropCounts& totals, DropCounts& told);
  void leave_run(Sender& sender);
  void forget_users(Sender& sender);
  [[nodiscard]] Moment moment() const { return {clock_.now(), clock_.monotonic_ns()}; }

  Registry registry_;
  OperationFamilies families_;
  std::set<std::string, std::less<>> own_names_;  // of the contract's families: peers can't add to them
  const Clock& clock_;
  Moment now_;  // when the chunk came
  const std::string store_id_;
  Clients clients_;
  LiveRuns live_runs_;
  const SharedTasks tasks_;
  OperationFold fold_;
  IngestTotals totals_;
  bool has_changed_ = true;                    // since the last cut
  std::vector<std::string_view> label_views_;  // reused, so that a sample allocates nothing
};

}  // namespace metricsd::server
