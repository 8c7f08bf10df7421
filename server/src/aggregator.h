// The policy between what senders say and what is kept: validation, limits, refusals. Pure: no I/O, time
// comes from a Clock.
//
//   operation ------> families of the contract, the run's live statistics
//   users ----------> active_users, owned by the connection
//   define, samples > families of any name, through ids that the connection binds
//   run_start, _end > what the connection's operations belong to
//   heartbeat ------> losses, by difference to what the connection told before
#pragma once

#include "ingest_totals.h"
#include "live_runs.h"
#include "operation_families.h"
#include "operation_fold.h"
#include "sender.h"

#include <metricsd/ipc/message.h>
#include <metricsd/models/clock.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/registry.h>

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::server {

// One shard's; one thread.
class Aggregator {
 public:
  // `clock` outlives the aggregator; the catalog is shared by all shards.
  Aggregator(const FamilyOptions& options, const std::shared_ptr<Catalog>& catalog, const Clock& clock);
  Aggregator(const Aggregator&) = delete;
  Aggregator& operator=(const Aggregator&) = delete;

  // So many bytes have come. What they hold is applied next, and happened now: a clock costs more to read
  // than an operation to count.
  void begin_chunk(std::size_t bytes);
  // All of it is applied. Between chunks, and only then, what is asked of the aggregator includes everything.
  void end_chunk();

  void apply(const Sender& sender, const OperationView& operation, std::uint64_t unknown_fields);

  // A message that is refused is counted; its error is for the log. Of a samples message good rows are taken
  // and bad ones refused one by one: the error is the last one's. StatusRequest is the caller's to answer.
  Result<> apply(Sender& sender, const ipc::Message& message);

  // Counts a refusal.
  void refuse(Errc reason) { ++totals_.rejected[reason]; }

  void open() { ++totals_.connections; }
  // The connection is gone: its gauges and its part in a run go too.
  void close(Sender& sender);

  // Lets series go that were last told of before `before_ns` on the monotonic clock.
  void forget(const SeriesKeys& idle, std::int64_t before_ns) { registry_.forget(idle, before_ns); }

  [[nodiscard]] const Registry& registry() const { return registry_; }
  [[nodiscard]] const LiveRuns& live_runs() const { return live_runs_; }
  [[nodiscard]] const IngestTotals& totals() const { return totals_; }

 private:
  Result<> handle(Sender& sender, const ipc::UsersMessage& message);
  Result<> handle(Sender& sender, const ipc::RunStartMessage& message);
  Result<> handle(Sender& sender, const ipc::RunEndMessage& message);
  Result<> handle(Sender& sender, const ipc::StatusRequest& message);
  Result<> handle(Sender& sender, const ipc::DefineMessage& message);
  Result<> handle(Sender& sender, const ipc::SamplesMessage& message);
  Result<> handle(Sender& sender, const ipc::HeartbeatMessage& message);
  // What this daemon does not take.
  Result<> handle(Sender& sender, const auto& message);

  Result<DefinedFamily> define(const FamilySpec& spec);
  [[nodiscard]] bool is_reserved(const FamilySpec& spec) const;
  Result<> apply_sample(Sender& sender, const ipc::Sample& sample);
  void leave_run(Sender& sender);
  void forget_users(Sender& sender);
  [[nodiscard]] Moment moment() const { return {clock_.now(), clock_.monotonic_ns()}; }

  Registry registry_;
  OperationFamilies families_;
  std::set<std::string, std::less<>> own_names_;  // of the contract's families: peers can't add to them
  const Clock& clock_;
  Moment now_;  // when the chunk came
  LiveRuns live_runs_;
  OperationFold fold_;
  IngestTotals totals_;
  std::vector<std::string_view> label_views_;  // reused, so that a sample allocates nothing
};

}  // namespace metricsd::server
