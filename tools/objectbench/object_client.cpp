#include "object_client.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <string_view>
#include <utility>

#include <httplib.h>

namespace metricsd::tools {

namespace {

constexpr std::chrono::seconds kConnectTimeout{5};
constexpr std::chrono::seconds kTransferTimeout{30};  // without a byte
constexpr std::size_t kPatternBytes = 64 * 1024;

// What objects are made of: noise, so that no server or network can squeeze it. One pattern for all, so that
// memory does not depend on the size of the objects.
std::string_view pattern() {
  static const auto bytes = [] {
    std::array<char, kPatternBytes> noise{};
    std::minstd_rand random(20'260'101);
    std::generate(noise.begin(), noise.end(), [&] { return static_cast<char>(random() >> 8 & 0xFF); });
    return noise;
  }();
  return {bytes.data(), bytes.size()};
}

bool send_pattern(std::size_t offset, std::size_t length, httplib::DataSink& sink) {
  const std::size_t begin = offset % kPatternBytes;
  const std::size_t count = std::min(length, kPatternBytes - begin);
  return sink.write(pattern().data() + begin, count);
}

std::string_view code_of(httplib::Error error, std::chrono::steady_clock::duration taken) {
  switch (error) {
    case httplib::Error::Connection: return "connection_failed";
    case httplib::Error::ConnectionTimeout: return "timeout";
    case httplib::Error::Read:
      // The library tells a silent server and a lost connection apart by nothing but the time.
      return taken >= kTransferTimeout ? "timeout" : "read_failed";
    case httplib::Error::Write: return "write_failed";
    default: return "http_error";
  }
}

TransferResult failure(std::string code, std::string message) {
  return {.success = false,
          .connected = true,
          .error_code = std::move(code),
          .error_message = std::move(message)};
}

// Runs one request and tells how it ended.
template <class Request>
TransferResult perform(Request request) {
  const auto started = std::chrono::steady_clock::now();
  const httplib::Result response = request();
  if (!response) {
    const auto taken = std::chrono::steady_clock::now() - started;
    TransferResult result =
        failure(std::string(code_of(response.error(), taken)), httplib::to_string(response.error()));
    result.connected = response.error() != httplib::Error::Connection;
    return result;
  }
  if (response->status < 200 || response->status > 299) {
    return failure(std::to_string(response->status), response->reason);
  }
  return {.success = true, .connected = true, .error_code = {}, .error_message = {}};
}

}  // namespace

struct ObjectClient::State {
  explicit State(const ObjectUrl& url) : http(url.origin), base_path(url.base_path) {
    http.set_keep_alive(true);
    http.set_tcp_nodelay(true);  // head and body are written apart: Nagle would hold the body back
    http.set_decompress(false);
    http.set_connection_timeout(kConnectTimeout);
    http.set_read_timeout(kTransferTimeout);
    http.set_write_timeout(kTransferTimeout);
  }

  httplib::Client http;
  std::string base_path;
};

ObjectClient::ObjectClient(const ObjectUrl& url) : state_(std::make_unique<State>(url)) {}
ObjectClient::~ObjectClient() = default;

TransferResult ObjectClient::put(const std::string& key, std::uint64_t size_bytes) {
  return perform([&] {
    const std::string path = state_->base_path + key;
    // Without a body the library sends no Content-Length for a provider of length 0.
    if (size_bytes == 0) return state_->http.Put(path, std::string(), "application/octet-stream");
    return state_->http.Put(path, size_bytes, send_pattern, "application/octet-stream");
  });
}

TransferResult ObjectClient::get(const std::string& key, std::uint64_t expected_bytes) {
  std::uint64_t received = 0;
  TransferResult result = perform([&] {
    return state_->http.Get(state_->base_path + key, [&](const char*, std::size_t bytes) {
      received += bytes;
      return true;
    });
  });
  if (result.success && received != expected_bytes) {
    return failure("short_body",
                   std::to_string(received) + " of " + std::to_string(expected_bytes) + " bytes");
  }
  return result;
}

TransferResult ObjectClient::remove(const std::string& key) {
  return perform([&] { return state_->http.Delete(state_->base_path + key); });
}

}  // namespace metricsd::tools
