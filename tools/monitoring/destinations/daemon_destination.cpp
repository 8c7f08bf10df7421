#include "daemon_destination.h"

#include "destinations.h"
#include "sample_json.h"

#include <chrono>
#include <exception>

namespace metricsd::tools {

namespace {

double interval_of(const Task& task) {
  return std::chrono::duration<double>(task.profile.interval).count();
}

}  // namespace

void DaemonDestination::take(const Observation& observation) noexcept try {
  metrics_.tell(observation);
  tell_samples(observation);
  ++taken_;
} catch (const std::exception&) {
  ++unmade_;
}

void DaemonDestination::tell_samples(const Observation& observation) {
  if (observation.tree == nullptr) {
    tell_task(observation.task);
    return;
  }
  const Aggregates& aggregates = observation.aggregates;
  tell_sample(observation.task, "", observation.tree->total, aggregates.total);
  for (const RoleSample& role : observation.tree->roles) {
    const auto aggregate = aggregates.roles.find(role.role);
    if (aggregate != aggregates.roles.end()) {
      tell_sample(observation.task, role.role, role.sample, aggregate->second);
    }
  }
}

void DaemonDestination::tell_sample(const Task& task, std::string_view role, const ProcessSample& sample,
                                    const Aggregate& aggregate) {
  metrics_json_.clear();
  JsonWriter metrics(metrics_json_);
  append_sample_json(metrics, sample, task.profile.collect);
  aggregated_json_.clear();
  JsonWriter aggregated(aggregated_json_);
  aggregate.write(aggregated);

  client::TaskSample told;
  told.task_id = task.job_name;
  told.metrics = metrics_json_;
  told.aggregated = aggregated_json_;
  told.role = role;
  told.node = task.node;
  told.pid = static_cast<std::uint64_t>(task.pid);
  told.history_size = task.profile.samples_kept();
  told.interval = interval_of(task);
  run_.task_sample(told);
}

// Of the machine there is no history; that somebody tells of the task keeps its metrics in the scrape.
void DaemonDestination::tell_task(const Task& task) {
  client::TaskSample told;
  told.task_id = task.job_name;
  told.metrics = "{}";
  told.node = task.node;
  told.history_size = 0;
  told.interval = interval_of(task);
  run_.task_sample(told);
}

std::unique_ptr<Destination> make_daemon_destination(client::Collector& run,
                                                     const std::string& metric_namespace) {
  return std::make_unique<DaemonDestination>(run, metric_namespace);
}

}  // namespace metricsd::tools
