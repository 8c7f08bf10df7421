// Samples of a task as MQTT messages: `{"task_id", "proplet_id", "metrics": {...}, "aggregated": {...}}`, of
// the whole task, one at each observation.
#pragma once

#include "destination.h"
#include "destinations.h"

#include <metricsd/exporters/mqtt_sink.h>

#include <chrono>
#include <optional>
#include <string>

namespace metricsd::tools {

class MqttDestination final : public Destination {
 public:
  // `sink` is what the options come to, save for who says failures.
  MqttDestination(MqttOptions options, exporters::MqttSinkOptions sink)
      : options_(std::move(options)), sink_options_(std::move(sink)) {}

  void take(const Observation& observation) noexcept override;
  void end() noexcept override;
  [[nodiscard]] bool wait(std::chrono::milliseconds within) noexcept override;
  void leave() noexcept override;
  [[nodiscard]] std::string_view name() const override { return "MQTT"; }
  [[nodiscard]] DestinationReport report() const override;

 private:
  void open_sink(const Task& task);

  const MqttOptions options_;
  const exporters::MqttSinkOptions sink_options_;
  std::string topic_;
  std::optional<exporters::MqttSink> sink_;  // from the first observation on
  std::uint64_t unmade_ = 0;                 // observations that there was no memory for
};

}  // namespace metricsd::tools
