// Publishes messages to an MQTT broker (3.1.1, quality of service 1) by libmosquitto, on a thread of its own:
// connects at once, again and again where it cannot, and again where the connection is lost.
//
//   MqttSink sink({.host = "broker", .port = 8883, .tls = true});
//   sink.publish("m/plant/c/default/metrics", payload);
//   sink.end(2s);               // for what is not acknowledged yet
//   while (!sink.wait(100ms)) { /* unless something else is to be done */ }
//   sink.leave();
//
// At most MqttSinkOptions::max_waiting messages wait for the broker or its acknowledgement; then the oldest
// goes. A message that was sent when a connection broke is sent again, so that a subscriber may see it twice.
// An acknowledgement says that the broker has the message. That it gives it to nobody, since the user may not
// publish to the topic, it can not say in this version of MQTT.
#pragma once

#include <metricsd/exporters/sink_report.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace metricsd::exporters {

class SinkThread;

struct MqttSinkOptions {
  std::string host;
  std::uint16_t port = 1883;
  bool tls = false;
  std::string ca_file{};  // authorities that the broker's certificate is checked against; empty: the system's
  std::string user{};     // empty: none
  std::string password{};  // only with a user
  std::size_t max_waiting = 256;
  SayFailure say_failure{};
};

// Whether a broker takes messages of this topic: 1 to 65,535 bytes of UTF-8 without `+`, `#` and NUL.
[[nodiscard]] bool is_mqtt_topic(const std::string& topic);

// One thread, save for report().
class MqttSink {
 public:
  explicit MqttSink(MqttSinkOptions options);
  MqttSink(const MqttSink&) = delete;
  MqttSink& operator=(const MqttSink&) = delete;
  ~MqttSink();  // as leave()

  // Never waits. `topic` is one (is_mqtt_topic()).
  void publish(std::string topic, std::string payload);
  // After the last message, once. The broker has so long from now on to acknowledge what was published; where
  // something waits and there is no connection, it is looked for once more.
  void end(std::chrono::milliseconds within);
  // After end(). Waits so long at most: whether there is nothing more to wait for.
  [[nodiscard]] bool wait(std::chrono::milliseconds within);
  // What was not acknowledged until now has failed.
  void leave();
  // Messages.
  [[nodiscard]] SinkReport report() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::unique_ptr<SinkThread> thread_;
};

}  // namespace metricsd::exporters
