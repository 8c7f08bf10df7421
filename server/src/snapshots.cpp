#include "snapshots.h"

#include "expiry.h"
#include "self_metrics.h"
#include "tasks/process_series.h"
#include "version.h"

#include <metricsd/models/limits.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <future>
#include <iterator>
#include <utility>

namespace metricsd::server {
namespace {

// A shard answers between two reads. One that does not for so long is stuck, and the reader should know.
constexpr std::chrono::seconds kPatience{5};

Result<ShardReport> take(std::future<ShardReport>& pending, std::chrono::steady_clock::time_point deadline) {
  if (pending.wait_until(deadline) != std::future_status::ready) return Errc::timed_out;
  try {
    return pending.get();
  } catch (const std::exception&) {
    return boost::system::errc::make_error_code(boost::system::errc::not_enough_memory);
  }
}

std::vector<Run> live_ones(const LiveRuns& runs) {
  std::vector<Run> live;
  for (const auto& [id, run] : runs.runs()) {
    if (run.is_live()) live.push_back(run.run);
  }
  return live;
}

}  // namespace

Snapshots::Snapshots(const std::vector<std::unique_ptr<Shard>>& shards, const std::unique_ptr<Keeper>& keeper,
                     std::shared_ptr<Catalog> catalog, std::shared_ptr<const TaskHistory> tasks,
                     Options options, const Clock& clock)
    : shards_(shards),
      keeper_(keeper),
      catalog_(std::move(catalog)),
      tasks_(std::move(tasks)),
      options_(std::move(options)),
      clock_(clock) {}

Result<std::vector<ShardReport>> Snapshots::reports(ReportParts parts) {
  std::vector<ShardReport> reports;
  if (keeper_ != nullptr) {
    for (const auto& replica : keeper_->replicas()) reports.push_back(replica->report(parts));
    return reports;
  }
  std::vector<std::future<ShardReport>> pending;
  pending.reserve(shards_.size());
  for (const auto& shard : shards_) pending.push_back(shard->report(parts));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (auto& each : pending) {
    auto report = take(each, deadline);
    if (!report) return report.error();
    reports.push_back(*std::move(report));
  }
  return reports;
}

Result<MergedState> Snapshots::collect(ReportParts parts) {
  std::unique_lock lock(one_at_a_time_, std::defer_lock);
  if (parts.registry || parts.run_statistics) lock.lock();
  auto all = reports(parts);
  if (!all) return all.error();
  MergedState merged;
  for (ShardReport& report : *all) {
    merged.totals.merge(report.totals);
    if (report.registry) merged.registry.merge(*std::move(report.registry));
    merged.live_runs.merge(report.live_runs);
    merged.known_clients += report.known_clients;
    const std::size_t room = limits::kStatusClients - merged.clients.size();
    std::move(report.clients.begin(),
              report.clients.begin() + static_cast<std::ptrdiff_t>(std::min(room, report.clients.size())),
              std::back_inserter(merged.clients));
  }
  merged.totals.connections = 0;
  for (const auto& shard : shards_) merged.totals.connections += shard->connections();
  if (parts.registry && options_.series_expiry_ns > 0) expire_idle(merged.registry);
  if (parts.registry && options_.process_expiry_ns > 0) expire_processes(merged.registry);
  return merged;
}

// Who tells of a task is known to the shards before it is shown.
void Snapshots::expire_idle(RegistryImage& merged) {
  const std::int64_t before_ns = clock_.monotonic_ns() - options_.series_expiry_ns;
  const ProcessSeries of_tasks(options_.metrics_namespace, tasks_->told_of_since(before_ns));
  const UnsparedSeries idle(of_tasks);
  let_go(merged.take_idle(before_ns, &idle), before_ns);
}

void Snapshots::expire_processes(RegistryImage& merged) {
  const std::int64_t before_ns = clock_.monotonic_ns() - options_.process_expiry_ns;
  const ProcessSeries gone(options_.metrics_namespace, tasks_->told_of_since(before_ns));
  let_go(merged.take_idle(before_ns, &gone), before_ns);
}

// A series that is idle in one shard and alive in another stays in both: its sum must not fall. One list is
// under way at a time, so the shards come to several in the same order.
void Snapshots::let_go(SeriesKeys idle, std::int64_t before_ns) {
  if (idle.empty()) return;
  const auto expiry = std::make_shared<Expiry>(std::move(idle), before_ns, shards_.size());
  for (const auto& shard : shards_) shard->expire(expiry);
}

const TaskHistory& Snapshots::tasks() const {
  return keeper_ != nullptr ? keeper_->replicas().front()->tasks() : *tasks_;
}

Result<Snapshot> Snapshots::metrics() {
  auto merged = collect({.registry = true, .run_statistics = false});
  if (!merged) return merged.error();
  const std::int64_t last_scrape_ns = last_scrape_ns_;

  SelfFigures figures;
  figures.metrics_namespace = options_.metrics_namespace;
  figures.version = version();
  figures.totals = merged->totals;
  figures.live_runs = live_ones(merged->live_runs);
  figures.tasks = tasks().size();
  figures.series = catalog_->series_count();
  figures.overflowed = merged->registry.refused();
  if (last_scrape_ns >= 0) figures.last_scrape_seconds = static_cast<double>(last_scrape_ns) / 1e9;
  figures.process = read_process_figures();
  if (keeper_ != nullptr) figures.checkpoint = keeper_->figures();

  const Moment now{clock_.now(), clock_.monotonic_ns()};
  merged->registry.merge(self_metrics(figures, now).image());
  return std::move(merged->registry).snapshot(now.wall);
}

}  // namespace metricsd::server
