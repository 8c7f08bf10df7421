// The daemon, through the client library: metric families for its scrape, samples for its history.
#pragma once

#include "client_book.h"
#include "destination.h"
#include "observation_metrics.h"

#include <metricsd/client/collector.h>

#include <cstdint>
#include <string>

namespace metricsd::tools {

// The run tells what is left when it is finished itself.
class DaemonDestination final : public Destination {
 public:
  // `run` outlives it.
  DaemonDestination(client::Collector& run, std::string metric_namespace)
      : run_(run), book_(run, std::move(metric_namespace)), metrics_(book_) {}

  void take(const Observation& observation) noexcept override;
  [[nodiscard]] std::string_view name() const override { return "metricsd"; }
  // What the daemon did not get is in the run's own report.
  [[nodiscard]] DestinationReport report() const override {
    return {taken_, unmade_, unmade_ > 0 ? "out of memory" : ""};
  }

 private:
  void tell_samples(const Observation& observation);
  void tell_sample(const Task& task, std::string_view role, const ProcessSample& sample,
                   const Aggregate& aggregate);
  void tell_task(const Task& task);

  client::Collector& run_;
  ClientBook book_;
  ObservationMetrics metrics_;
  std::string metrics_json_;  // these two are reused
  std::string aggregated_json_;
  std::uint64_t taken_ = 0;
  std::uint64_t unmade_ = 0;  // observations that there was no memory for
};

}  // namespace metricsd::tools
