#include "keeper.h"

#include <metricsd/models/run.h>

#include <algorithm>
#include <utility>

namespace metricsd::server {
Result<std::unique_ptr<Keeper>> Keeper::open(const std::filesystem::path& directory, RunningClock& clock,
                                             Logger logger, std::string& why) {
  auto store = CheckpointStore::claim(directory, system_files(), why);
  if (!store) return store.error();
  std::unique_ptr<Keeper> keeper(new Keeper(*std::move(store), clock, std::move(logger)));
  keeper->read();
  return keeper;
}

Keeper::Keeper(CheckpointStore store, RunningClock& clock, Logger logger)
    : directory_(store.directory()), clock_(clock), logger_(std::move(logger)), store_(std::move(store)) {}

void Keeper::read() {
  left_.emplace();
  restored_.files = store_->load([this](const Frame& frame) { return left_->take(frame); });
  const bool has_state = restored_.files.source != Restored::Source::nothing;
  if (has_state) {
    head_ = left_->head();
    restored_.saved_at = head_.at;
    clock_.go_on_from(std::max<std::int64_t>(head_.running_ns, 0));
  }
  // A client that is told the same store takes it for granted that all it was promised is there.
  if (!has_state || restored_.files.is_behind) head_.store_id = random_id();
}

void Keeper::restore(const std::vector<std::unique_ptr<Shard>>& shards) {
  const std::int64_t ago_ns =
      restored_.saved_at ? std::max<std::int64_t>(clock_.now().ns - restored_.saved_at->ns, 0) : 0;
  for (const auto& part : left_->parts()) {
    for (std::size_t i = 0; i < shards.size(); ++i) {
      const LoadReport report = shards[i]->restore(part->state(), i == 0, ago_ns);
      restored_.series.series += report.series;
      restored_.series.no_room += report.no_room;
      restored_.series.conflicting += report.conflicting;
    }
  }
  left_.reset();
  log_restored();
}

void Keeper::log_restored() {
  const Restored& files = restored_.files;
  for (const std::string& damaged : files.damaged) {
    logger_.error("a checkpoint is damaged; it is kept",
                  {{"directory", directory_.string()}, {"file", damaged}});
  }
  if (files.torn_bytes > 0) {
    logger_.info(
        "the end of a checkpoint was cut short, as where its writing was: it was never acknowledged then",
        {{"directory", directory_.string()}, {"bytes", files.torn_bytes}});
  }
  if (files.source == Restored::Source::nothing) {
    logger_.info("no state to go on from", {{"directory", directory_.string()}});
    return;
  }
  logger_.info("state restored", {{"directory", directory_.string()},
                                  {"from", to_string(files.source)},
                                  {"generation", files.generation},
                                  {"saved_at", format_timestamp(*restored_.saved_at)},
                                  {"series", restored_.series.series},
                                  {"complete", files.is_behind ? "no" : "yes"}});
  if (restored_.series.conflicting > 0) {
    logger_.warning("series begin anew: their metrics are defined otherwise now",
                    {{"series", restored_.series.conflicting}});
  }
  if (restored_.series.no_room > 0) {
    logger_.warning("series found no room under --metrics.max-series and were folded into one",
                    {{"series", restored_.series.no_room}});
  }
}

Result<> Keeper::begin(const std::vector<std::unique_ptr<Shard>>& shards,
                       const std::shared_ptr<Catalog>& catalog, std::int64_t interval_ns) {
  for (std::size_t i = 0; i < shards.size(); ++i) replicas_.push_back(std::make_unique<Replica>(catalog));
  cuts_.emplace(shards);
  checkpointer_ = std::make_unique<Checkpointer>(
      Checkpointer::Options{
          .interval_ns = interval_ns, .left = head_, .generation = restored_.files.generation},
      *std::move(store_), *cuts_, replicas_, clock_, logger_);
  store_.reset();
  if (const auto begun = checkpointer_->begin(); !begun) return begun;
  checkpointer_->start();
  return {};
}

}  // namespace metricsd::server
