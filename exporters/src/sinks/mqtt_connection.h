// One connection to an MQTT broker, from its first packet to its last. libmosquitto without a thread: whoever
// has it calls step().
#pragma once

#include <metricsd/exporters/mqtt_sink.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct mosquitto;

namespace metricsd::exporters {

// One thread.
class MqttConnection {
 public:
  MqttConnection();
  MqttConnection(const MqttConnection&) = delete;
  MqttConnection& operator=(const MqttConnection&) = delete;
  ~MqttConnection();

  // Looks up the host's name, which may take a while, and begins. Why not, in one line, or empty; so does
  // step().
  [[nodiscard]] std::string connect(const MqttSinkOptions& options);
  // Waits for the broker, for `wake` to become readable or for `wait` to be over, and does what is to be
  // done.
  [[nodiscard]] std::string step(int wake, std::chrono::milliseconds wait);
  // Whether the broker takes messages.
  [[nodiscard]] bool is_open() const { return is_open_; }
  // The number under which take_acknowledged() will know it; nothing where it can not be sent.
  [[nodiscard]] std::optional<int> publish(const std::string& topic, const std::string& payload);
  [[nodiscard]] std::vector<int> take_acknowledged();
  // Takes leave, so that the broker need not wonder.
  void close();

 private:
  static void on_connect(mosquitto* client, void* self, int code);
  static void on_publish(mosquitto* client, void* self, int id);
  static void on_log(mosquitto* client, void* self, int level, const char* text);

  [[nodiscard]] std::string setup(const MqttSinkOptions& options);
  [[nodiscard]] int setup_tls(const std::string& ca_file);
  [[nodiscard]] std::string text_of(int code);
  [[nodiscard]] std::string check_socket(int socket, int events);

  mosquitto* client_ = nullptr;
  bool is_tls_ = false;
  bool is_writable_ = false;  // has been, since connect()
  bool is_open_ = false;
  std::string refusal_;
  std::string last_log_;
  std::vector<int> acknowledged_;
};

}  // namespace metricsd::exporters
