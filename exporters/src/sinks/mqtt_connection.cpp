#include "mqtt_connection.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <mosquitto.h>
#include <poll.h>
#include <sys/socket.h>

namespace metricsd::exporters {
namespace {

constexpr int kKeepAliveSeconds = 60;
constexpr int kAtLeastOnce = 1;

std::string system_text(int error) {
  return std::strerror(error);
}  // NOLINT(concurrency-mt-unsafe)

}  // namespace

MqttConnection::MqttConnection() {
  // Never undone: a thread that was left behind may be in the library.
  static const int initialized = ::mosquitto_lib_init();
  static_cast<void>(initialized);
}

MqttConnection::~MqttConnection() {
  if (client_ != nullptr) ::mosquitto_destroy(client_);
}

std::string MqttConnection::connect(const MqttSinkOptions& options) {
  client_ = ::mosquitto_new(nullptr, true, this);
  if (client_ == nullptr) return system_text(errno);
  if (std::string why = setup(options); !why.empty()) return why;
  errno = 0;
  const int code = ::mosquitto_connect_async(client_, options.host.c_str(), options.port, kKeepAliveSeconds);
  if (code == MOSQ_ERR_EAI) return "the host's name was not found";
  return code == MOSQ_ERR_SUCCESS ? std::string() : text_of(code);
}

std::string MqttConnection::setup(const MqttSinkOptions& options) {
  ::mosquitto_connect_callback_set(client_, on_connect);
  ::mosquitto_publish_callback_set(client_, on_publish);
  ::mosquitto_log_callback_set(client_, on_log);
  int code = MOSQ_ERR_SUCCESS;
  if (!options.user.empty()) {
    code = ::mosquitto_username_pw_set(client_, options.user.c_str(), options.password.c_str());
  }
  is_tls_ = options.tls;
  if (code == MOSQ_ERR_SUCCESS && is_tls_) code = setup_tls(options.ca_file);
  return code == MOSQ_ERR_SUCCESS ? std::string() : text_of(code);
}

int MqttConnection::setup_tls(const std::string& ca_file) {
  if (ca_file.empty()) return ::mosquitto_int_option(client_, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
  return ::mosquitto_tls_set(client_, ca_file.c_str(), nullptr, nullptr, nullptr, nullptr);
}

std::string MqttConnection::step(int wake, std::chrono::milliseconds wait) {
  const int socket = ::mosquitto_socket(client_);
  if (socket < 0) return "the connection was closed";
  // Within a TLS handshake the library says for ever that it wants to write, once it did.
  const bool is_in_handshake = is_tls_ && is_writable_ && !is_open_;
  const bool wants_write = ::mosquitto_want_write(client_) && !is_in_handshake;
  std::array<pollfd, 2> waited{
      {{socket, static_cast<short>(POLLIN | POLLRDHUP | (wants_write ? POLLOUT : 0)), 0}, {wake, POLLIN, 0}}};
  if (::poll(waited.data(), waited.size(), static_cast<int>(wait.count())) < 0 && errno != EINTR) {
    return system_text(errno);
  }
  if (std::string why = check_socket(socket, waited[0].revents); !why.empty()) return why;

  // In this order: a TLS handshake goes on by reading, whatever the socket is ready for.
  errno = 0;
  int code = ::mosquitto_loop_read(client_, 1);
  if (code == MOSQ_ERR_SUCCESS) code = ::mosquitto_loop_write(client_, 1);
  if (code == MOSQ_ERR_SUCCESS) code = ::mosquitto_loop_misc(client_);
  if (!refusal_.empty()) return refusal_;
  if (code != MOSQ_ERR_SUCCESS) return text_of(code);
  if (!is_open_ && (waited[0].revents & (POLLRDHUP | POLLHUP)) != 0) return "could not connect";
  return {};
}

// Why no connection came about: of TLS the library would not notice.
std::string MqttConnection::check_socket(int socket, int events) {
  if (events == 0 || is_open_) return {};
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error != 0) return system_text(error);
  if ((events & POLLOUT) != 0) is_writable_ = true;
  return {};
}

std::optional<int> MqttConnection::publish(const std::string& topic, const std::string& payload) {
  int id = 0;
  const int code = ::mosquitto_publish(client_, &id, topic.c_str(), static_cast<int>(payload.size()),
                                       payload.data(), kAtLeastOnce, false);
  if (code != MOSQ_ERR_SUCCESS) return std::nullopt;
  return id;
}

std::vector<int> MqttConnection::take_acknowledged() {
  return std::exchange(acknowledged_, {});
}

void MqttConnection::close() {
  // What it says goes out with the last message's acknowledgement in hand: there is room for two bytes.
  ::mosquitto_disconnect(client_);
}

std::string MqttConnection::text_of(int code) {
  if (code == MOSQ_ERR_ERRNO && errno != 0) return system_text(errno);
  if (code == MOSQ_ERR_TLS && !last_log_.empty()) return "no TLS connection: " + last_log_;
  return ::mosquitto_strerror(code);
}

void MqttConnection::on_connect(mosquitto* /*client*/, void* self, int code) {
  auto& connection = *static_cast<MqttConnection*>(self);
  if (code == 0) {
    connection.is_open_ = true;
  } else {
    connection.refusal_ = ::mosquitto_connack_string(code);
  }
}

void MqttConnection::on_publish(mosquitto* /*client*/, void* self, int id) {
  static_cast<MqttConnection*>(self)->acknowledged_.push_back(id);
}

void MqttConnection::on_log(mosquitto* /*client*/, void* self, int level, const char* text) {
  if (level == MOSQ_LOG_ERR) static_cast<MqttConnection*>(self)->last_log_ = text;
}

}  // namespace metricsd::exporters
