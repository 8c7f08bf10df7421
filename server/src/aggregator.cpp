#include "aggregator.h"

#include "samples.h"

#include <metricsd/models/limits.h>

#include <span>
#include <utility>
#include <variant>

namespace metricsd::server {
namespace {

// What the daemon needs of a run. The rest may be as long as a line and is for the run's own files.
Run names_and_start(const Run& told) {
  Run run;
  run.test_run_id = told.test_run_id;
  run.test_name = told.test_name;
  run.start_time = told.start_time;
  run.scenario = told.scenario;
  run.workload_type = told.workload_type;
  run.driver = told.driver;
  return run;
}

void view(const LabelValues& labels, std::vector<std::string_view>& views) {
  views.assign(labels.begin(), labels.end());
}

}  // namespace

Aggregator::Aggregator(const FamilyOptions& options, const std::shared_ptr<Catalog>& catalog,
                       const Clock& clock, std::string store_id, Durability durability, SharedTasks tasks)
    : registry_(catalog),
      families_(registry_, options),
      clock_(clock),
      now_(moment()),
      store_id_(std::move(store_id)),
      clients_(durability),
      tasks_(std::move(tasks)),
      fold_(families_, live_runs_) {
  // run_info is shown from the list of live runs; defined here so that nobody else takes its name.
  [[maybe_unused]] const auto reserved = catalog->define(run_info_spec(options.metrics_namespace));
  for (const FamilySpec& spec : operation_family_specs(options)) own_names_.insert(exposition_name(spec));
}

void Aggregator::begin_chunk(std::size_t bytes) {
  totals_.bytes += bytes;
  now_ = moment();
}

void Aggregator::end_chunk() {
  fold_.settle(now_);
  fold_.keep_bounded();
}

void Aggregator::apply(const Sender& sender, const OperationView& operation, std::uint64_t unknown_fields) {
  has_changed_ = true;
  ++totals_.operations;
  totals_.unknown_fields += unknown_fields;
  fold_.apply(fold_.series(labels_of(operation), sender.live_run), operation.duration_ns,
              operation.object_size_bytes, operation.retry_count, now_);
}

Result<> Aggregator::apply(Sender& sender, const ipc::Batch& batch) {
  has_changed_ = true;
  const auto advanced = advance(sender, {batch.stream, batch.first_seq}, batch.count);
  if (!advanced) return advanced.error();
  if (!batch.refusal) {
    fold(sender, batch, advanced->known);
    return {};
  }
  const std::uint64_t refused = batch.count - advanced->known;
  refuse(batch.refusal->reason, refused);
  sender.client->records.rejected += refused;
  return batch.refusal->reason;
}

Result<ipc::WelcomeMessage> Aggregator::greet(Sender& sender, uid_t uid, const ipc::HelloMessage& hello) {
  has_changed_ = true;
  const bool is_known = knows(uid, hello.client_id);
  std::uint64_t gap = 0;
  const auto client = clients_.greet(uid, hello, sender.id, now_.monotonic_ns, gap);
  if (!client) {
    refuse(static_cast<Errc>(client.error().value()));
    return client.error();
  }
  sender.client = *client;
  add_gap(sender, gap);
  // Who is told of no stream hears that it is not known here: never was, or not any more.
  return ipc::WelcomeMessage{
      .store_id = store_id_,
      .streams = is_known ? clients_.progress(**client, hello.streams) : std::vector<ipc::StreamProgress>(),
      .known = is_known};
}

std::optional<Gauge::Owner> Aggregator::connection_of(uid_t uid, std::string_view client_id) {
  const Client* client = clients_.find(uid, client_id);
  return client == nullptr ? std::nullopt : client->connection;
}

Result<> Aggregator::apply(Sender& sender, const ipc::Message& message) {
  has_changed_ = has_changed_ || !std::holds_alternative<ipc::StatusRequest>(message);
  const Result<> handled =
      std::visit([&](const auto& alternative) { return handle(sender, alternative); }, message);
  // Rows of a samples message have been counted one by one.
  if (!handled && !std::holds_alternative<ipc::SamplesMessage>(message)) {
    refuse(static_cast<Errc>(handled.error().value()));
  }
  return handled;
}

void Aggregator::close(Sender& sender) {
  now_ = moment();
  has_changed_ = has_changed_ || sender.client != nullptr || sender.live_run != nullptr || sender.users ||
                 !sender.gauges.empty();
  leave_run(sender);
  forget_users(sender);
  tasks_.history->leave(sender.tasks, now_);
  if (sender.client != nullptr) clients_.leave(*sender.client, sender.id, now_.monotonic_ns);
  for (Family<Gauge>* family : sender.gauges) {
    family->change_each([&](Gauge& gauge) { return gauge.forget(sender.id); });
  }
  --totals_.connections;
}

void Aggregator::cut(std::string& out, Extent extent) {
  const bool have_tasks_changed = tasks_.is_saved_here && tasks_.history->has_changed();
  if (extent == Extent::changed && !has_changed_ && !have_tasks_changed) return;
  save_cut(out, state(), extent, moment());
  has_changed_ = false;
}

ShardState Aggregator::state() {
  return {registry_, totals_, live_runs_, clients_, tasks_.is_saved_here ? tasks_.history.get() : nullptr};
}

LoadReport Aggregator::restore(const ShardState& left, bool with_totals, const Clients::IsOurs& is_ours,
                               std::int64_t ago_ns) {
  clients_.restore(left.clients, is_ours, now_.monotonic_ns);
  if (!with_totals) return {};
  totals_.merge(left.totals);
  live_runs_.restore(left.live_runs, ago_ns);
  if (left.tasks != nullptr) tasks_.history->restore(*left.tasks, now_);
  return registry_.merge(left.registry);
}

Result<> Aggregator::handle(Sender& sender, const ipc::UsersMessage& message) {
  LabelValues labels{message.workload_type.value_or(sender.run.workload_type),
                     message.driver.value_or(sender.run.driver),
                     message.scenario.value_or(sender.run.scenario)};
  if (const auto checked = check_labels(families_.active_users().spec(), labels); !checked) return checked;
  forget_users(sender);
  view(labels, label_views_);
  families_.active_users()
      .at(label_views_, now_)
      .apply(sender.id, static_cast<double>(message.count), now_.monotonic_ns);
  sender.users = std::move(labels);
  return {};
}

Result<> Aggregator::handle(Sender& sender, const ipc::RunStartMessage& message) {
  leave_run(sender);
  fold_.settle(now_);  // a run that ended may make room for this one
  sender.run = names_and_start(message.run);
  sender.live_run = &live_runs_.join(sender.run, now_);
  sender.batch_series.clear();
  return {};
}

Result<> Aggregator::handle(Sender& sender, const ipc::RunEndMessage& message) {
  if (sender.live_run == nullptr || message.test_run_id != sender.run.test_run_id) return Errc::run_not_found;
  leave_run(sender);
  return {};
}

Result<> Aggregator::handle(Sender&, const ipc::StatusRequest&) {
  return {};
}

Result<> Aggregator::handle(Sender& sender, const ipc::DefineMessage& message) {
  const auto bound = sender.defined.find(message.id);
  if (bound == sender.defined.end() && sender.defined.size() >= limits::kDefinesPerConnection) {
    return Errc::limit_reached;
  }
  const auto family = define(message.spec);
  if (!family) return family.error();
  if (bound != sender.defined.end() && bound->second != *family) return Errc::conflicting_definition;
  sender.defined.insert_or_assign(message.id, *family);
  return {};
}

Result<> Aggregator::handle(Sender& sender, const ipc::SamplesMessage& message) {
  const std::uint64_t rows = message.samples.size() + message.refused.size();
  if (!message.position) return apply_rows(sender, message, 0);
  const auto advanced = advance(sender, *message.position, rows);
  if (!advanced) return advanced.error();
  const std::uint64_t rejected_before = totals_.rejected_in_all();
  const Result<> applied = apply_rows(sender, message, advanced->known);
  const std::uint64_t rejected = totals_.rejected_in_all() - rejected_before;
  sender.client->records.rejected += rejected;
  sender.client->records.folded += rows - advanced->known - rejected;
  return applied;
}

// The first `known` rows have been taken before. The error is the last row's that was refused.
Result<> Aggregator::apply_rows(Sender& sender, const ipc::SamplesMessage& message, std::uint64_t known) {
  Result<> last;
  auto sample = message.samples.begin();
  auto refused = message.refused.begin();
  for (std::uint64_t row = 0; sample != message.samples.end() || refused != message.refused.end(); ++row) {
    const bool is_refused =
        refused != message.refused.end() && (refused->row == row || sample == message.samples.end());
    Result<> applied;
    if (is_refused) {
      applied = refused++->reason;
    } else if (row >= known) {
      applied = apply_sample(sender, *sample++, now_, label_views_);
    } else {
      ++sample;
    }
    if (row < known || applied) continue;
    refuse(static_cast<Errc>(applied.error().value()));
    last = applied;
  }
  return last;
}

// A client's are told as totals of its life, too: what it told on a connection that we forgot is told again.
Result<> Aggregator::handle(Sender& sender, const ipc::HeartbeatMessage& message) {
  if (sender.client == nullptr || !message.total)
    return count_losses(sender, message.dropped, sender.dropped);
  clients_.note_losses(*sender.client);
  return count_losses(sender, *message.total, sender.client->losses);
}

// What is more than what was told before.
Result<> Aggregator::count_losses(Sender& sender, const DropCounts& totals, DropCounts& told) {
  for (const auto& [sink, causes] : totals) {
    for (const auto& [cause, total] : causes) {
      if (!has_drop_pair(told, sink, cause) && count_drop_pairs(told) >= limits::kDropCauses) {
        return Errc::limit_reached;
      }
      std::uint64_t& before = told[sink][cause];
      if (total <= before) continue;  // a total never falls
      add_dropped(totals_.dropped, sink, cause, total - before);
      if (sender.live_run != nullptr) sender.live_run->add_dropped(sink, cause, total - before);
      before = total;
    }
  }
  return {};
}

Result<> Aggregator::handle(Sender& sender, const ipc::FlushMessage&) {
  return sender.client == nullptr ? Result<>(Errc::unexpected_message) : Result<>();
}

Result<> Aggregator::handle(Sender& sender, const ipc::ByeMessage&) {
  if (sender.client == nullptr) return Errc::unexpected_message;
  clients_.forget(*std::exchange(sender.client, nullptr));
  return {};
}

Result<> Aggregator::handle(Sender& sender, const ipc::TaskSampleMessage& message) {
  const auto taken = tasks_.history->take(message, sender.tasks, now_);
  if (!taken) return taken.error();
  totals_.task_samples += taken->is_new ? 1 : 0;
  totals_.task_samples_dropped += taken->dropped;
  return {};
}

Result<> Aggregator::handle(Sender&, const ipc::UnknownMessage&) {
  return Errc::unknown_type;
}

Result<> Aggregator::handle(Sender&, const auto&) {
  return Errc::unexpected_message;
}

Result<DefinedFamily> Aggregator::define(const FamilySpec& spec) {
  if (is_reserved(spec)) return Errc::conflicting_definition;
  const auto widen = [](const auto& family) -> Result<DefinedFamily> {
    if (!family) return family.error();
    return DefinedFamily(*family);
  };
  switch (spec.kind) {
    case Kind::counter: return widen(registry_.define<Counter>(spec, Room::common));
    case Kind::gauge: return widen(registry_.define<Gauge>(spec, Room::common));
    case Kind::histogram: return widen(registry_.define<Histogram>(spec, Room::common));
  }
  return Errc::invalid_definition;
}

// The daemon's own metrics must say what the daemon says.
bool Aggregator::is_reserved(const FamilySpec& spec) const {
  const std::string name = exposition_name(spec);
  return name.starts_with("metricsd_") || name.starts_with("process_") || own_names_.contains(name);
}

// What has no place in a stream is refused whole.
Result<Advance> Aggregator::advance(Sender& sender, const ipc::StreamPosition& position,
                                    std::uint64_t count) {
  if (sender.client == nullptr) {
    refuse(Errc::unexpected_message, count);
    return Errc::unexpected_message;
  }
  auto advanced = clients_.advance(*sender.client, position, count);
  if (!advanced) {
    refuse(static_cast<Errc>(advanced.error().value()), count);
    sender.client->records.rejected += count;
  } else {
    add_gap(sender, advanced->gap);
  }
  return advanced;
}

void Aggregator::fold(Sender& sender, const ipc::Batch& batch, std::uint64_t known) {
  if (known == batch.count) return;
  if (sender.batch_version != batch.shared_version || sender.batch_epoch != fold_.epoch() ||
      sender.batch_series.size() != batch.shared.size()) {
    sender.batch_series.assign(batch.shared.size(), nullptr);
    sender.batch_version = batch.shared_version;
    sender.batch_epoch = fold_.epoch();
  }
  std::uint64_t folded = 0;
  RecordCounts& records = sender.client->records;
  for (const ipc::BatchRow& row : std::span(batch.rows).subspan(known)) {
    if (row.shared == ipc::BatchRow::kNoOperation) {
      const bool is_taken_back = row.refusal == Errc{};
      if (!is_taken_back) refuse(row.refusal);
      ++(is_taken_back ? records.dropped : records.rejected);
      continue;
    }
    OperationSeries*& series = sender.batch_series[row.shared];
    if (series == nullptr) series = &fold_.series(labels_of(batch.shared[row.shared]), sender.live_run);
    fold_.apply(*series, row.duration_ns, row.object_size_bytes, row.retry_count, now_);
    ++folded;
  }
  records.folded += folded;
  totals_.operations += folded;
  totals_.acknowledged += folded;
  totals_.unknown_fields += batch.unknown_fields;
}

void Aggregator::add_gap(const Sender& sender, std::uint64_t records) {
  if (records == 0) return;
  add_dropped(totals_.dropped, "socket", "gap", records);
  if (sender.live_run != nullptr) sender.live_run->add_dropped("socket", "gap", records);
}

void Aggregator::leave_run(Sender& sender) {
  if (sender.live_run == nullptr) return;
  fold_.settle(now_);
  live_runs_.leave(*std::exchange(sender.live_run, nullptr), now_);
  sender.batch_series.clear();
  sender.run = Run{};
}

// They may have gone to the overflow series, and these labels have found room of their own since.
void Aggregator::forget_users(Sender& sender) {
  if (!sender.users) return;
  view(*sender.users, label_views_);
  Family<Gauge>& family = families_.active_users();
  for (Gauge* users : {family.find(label_views_), family.find_overflow(label_views_)}) {
    if (users != nullptr) users->forget(sender.id);
  }
  sender.users.reset();
}

}  // namespace metricsd::server
