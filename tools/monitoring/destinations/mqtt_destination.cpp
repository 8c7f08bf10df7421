#include "mqtt_destination.h"

#include "credentials.h"
#include "report_of_sink.h"
#include "sample_json.h"
#include "topic_template.h"
#include "url.h"

#include <chrono>
#include <exception>
#include <utility>

#include <unistd.h>

namespace metricsd::tools {

namespace {

constexpr std::uint16_t kPort = 1883;
constexpr std::uint16_t kTlsPort = 8883;
constexpr std::chrono::seconds kAcknowledgement{2};  // at the end
static_assert(kAcknowledgement < std::chrono::seconds(kFinishSeconds));

std::string payload_of(const Observation& observation) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("task_id", observation.task.task_id).field("proplet_id", observation.task.node);
  json.key("metrics");
  append_sample_json(json, observation.tree->total, observation.task.profile.collect);
  json.key("aggregated");
  observation.aggregates.total.write(json);
  json.end_object();
  return out;
}

std::optional<std::string> topic_of(const MqttOptions& options, std::string_view node,
                                    std::string_view task) {
  auto topic = expand_topic(options.topic, {options.domain, options.channel, node, task});
  if (topic && !exporters::is_mqtt_topic(*topic)) topic.reset();
  return topic;
}

}  // namespace

void MqttDestination::take(const Observation& observation) noexcept try {
  if (observation.tree == nullptr) return;  // of the machine alone there is nothing to say in this form
  if (!sink_) open_sink(observation.task);
  sink_->publish(topic_, payload_of(observation));
} catch (const std::exception&) {
  ++unmade_;
}

void MqttDestination::open_sink(const Task& task) {
  topic_ = topic_of(options_, task.node, task.task_id).value_or("");
  exporters::MqttSinkOptions sink = sink_options_;
  if (options_.say) {
    sink.say_failure = [say = options_.say, url = options_.url](const std::string& why) {
      say("MQTT broker at " + url + ": " + why + "; tried again");
    };
  }
  sink_.emplace(std::move(sink));
}

void MqttDestination::end() noexcept {
  if (sink_) sink_->end(kAcknowledgement);
}

bool MqttDestination::wait(std::chrono::milliseconds within) noexcept {
  return !sink_ || sink_->wait(within);
}

void MqttDestination::leave() noexcept try {
  if (sink_) sink_->leave();
} catch (const std::exception&) {
}

DestinationReport MqttDestination::report() const {
  return report_of(sink_, unmade_);
}

std::unique_ptr<Destination> make_mqtt_destination(const MqttOptions& options, const std::string& node,
                                                   std::string& why) {
  const auto url = split_url(options.url);
  if (!url || (url->scheme != "mqtt" && url->scheme != "mqtts") || (!url->path.empty() && url->path != "/")) {
    why = "'" + without_user(options.url) + "' is not mqtt://HOST[:PORT] or mqtts://HOST[:PORT]";
    if (options.url.find('@') != std::string::npos)
      why += ": a user's place is the file of --mqtt.credentials";
    return nullptr;
  }
  if (!topic_of(options, node, "task")) {
    why = "'" + options.topic +
          "' makes no topic: text and {domain}, {channel}, {node}, {task}, without + and #";
    return nullptr;
  }
  exporters::MqttSinkOptions sink;
  sink.host = url->host;
  sink.tls = url->scheme == "mqtts";
  sink.port = url->port != 0 ? url->port : sink.tls ? kTlsPort : kPort;
  if (!options.credentials_file.empty()) {
    auto credentials = read_credentials(options.credentials_file, why);
    if (!credentials) return nullptr;
    sink.user = std::move(credentials->user);
    sink.password = std::move(credentials->password);
  }
  if (sink.tls && !options.ca_file.empty()) {
    sink.ca_file = options.ca_file;
    if (::access(sink.ca_file.c_str(), R_OK) != 0) {
      why = sink.ca_file + ": " + last_system_error().message();
      return nullptr;
    }
  }
  return std::make_unique<MqttDestination>(options, std::move(sink));
}

}  // namespace metricsd::tools
