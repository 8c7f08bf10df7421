// The job's figures at a Pushgateway: the page that a scrape of them would be, put there at each observation.
#pragma once

#include "destination.h"
#include "destinations.h"
#include "observation_metrics.h"
#include "registry_book.h"
#include "spawned_gateway.h"

#include <metricsd/exporters/http_sink.h>

#include <chrono>
#include <optional>
#include <string>

namespace metricsd::tools {

class PushDestination final : public Destination {
 public:
  // `base_path` is the gateway's, in front of /metrics.
  PushDestination(PushOptions options, std::string origin, std::string base_path,
                  std::string metric_namespace, std::optional<SpawnedGateway> gateway);

  void take(const Observation& observation) noexcept override;
  void end() noexcept override;
  [[nodiscard]] bool wait(std::chrono::milliseconds within) noexcept override;
  void leave() noexcept override;
  [[nodiscard]] std::string_view name() const override { return "Pushgateway"; }
  [[nodiscard]] DestinationReport report() const override;

 private:
  void open_sink(const Task& task);

  const PushOptions options_;
  const std::string origin_;
  const std::string place_;  // "Pushgateway at ..."
  const std::string base_path_;
  const std::optional<SpawnedGateway> gateway_;  // goes after the sink
  RegistryBook book_;
  ObservationMetrics metrics_;
  std::optional<exporters::HttpSink> sink_;  // from the first observation on
  std::uint64_t unmade_ = 0;                 // observations that there was no memory for
};

}  // namespace metricsd::tools
