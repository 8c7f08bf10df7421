#include "http_request.h"

#include <metricsd/models/utf8.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <string_view>

#include <fcntl.h>
#include <httplib.h>
#include <sys/socket.h>

namespace metricsd::exporters {
namespace {

constexpr std::size_t kReason = 200;  // bytes of what a peer gives as its reason

std::string_view text_of(httplib::Error error, bool has_socket) {
  switch (error) {
    case httplib::Error::Connection:
      return has_socket ? "could not connect" : "the host's name was not found";
    case httplib::Error::ConnectionTimeout: return "no answer to the connection";
    case httplib::Error::Read: return "no whole answer";
    case httplib::Error::Write: return "the connection was closed";
    case httplib::Error::SSLConnection: return "no TLS connection";
    case httplib::Error::SSLLoadingCerts: return "the system's certificate authorities could not be read";
    case httplib::Error::SSLServerVerification: return "the server's certificate is not trusted";
    default: return "the request failed";
  }
}

// A peer's words on one line of ours.
std::string one_line(std::string_view text) {
  std::string clean;
  append_valid_utf8(clean, text.substr(0, text.find_first_of("\r\n")));
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; },
      ' ');
  return std::string(utf8_prefix(clean, kReason));
}

}  // namespace

struct HttpRequester::Client {
  explicit Client(const std::string& origin) : http(origin) {}

  httplib::Client http;
};

HttpRequester::HttpRequester(const std::string& origin, std::chrono::milliseconds wait)
    : client_(std::make_unique<Client>(origin)) {
  httplib::Client& http = client_->http;
  http.set_keep_alive(false);  // or a peer that closes what was idle makes the next request fail
  http.set_tcp_nodelay(true);  // head and body are written apart: Nagle would hold the body back
  http.set_decompress(false);
  http.set_url_encode(false);
  http.set_connection_timeout(wait);
  http.set_read_timeout(wait);
  http.set_write_timeout(wait);
  http.set_socket_options([this](socket_t socket) { hold(socket); });
}

HttpRequester::~HttpRequester() = default;

std::string HttpRequester::send(const HttpRequest& request) try {
  httplib::Request out;
  out.method = request.method;
  out.path = request.path;
  out.body = request.body;
  if (!request.content_type.empty()) out.headers.emplace("Content-Type", request.content_type);
  std::string answer;  // of its body no more than is shown: a peer may send without end
  out.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    answer.append(data, std::min(size, kReason - std::min(answer.size(), kReason)));
    return true;
  };
  const httplib::Result result = client_->http.send(out);
  const std::lock_guard lock(mutex_);
  const UniqueFd used = std::move(socket_);
  if (!result) return std::string(text_of(result.error(), used.valid()));
  if (result->status >= 200 && result->status <= 299) return {};
  const std::string reason = one_line(answer.empty() ? result->reason : answer);
  return "answered " + std::to_string(result->status) + (reason.empty() ? "" : ": " + reason);
} catch (const std::exception& error) {
  return one_line(error.what());
}

void HttpRequester::cut() {
  const std::lock_guard lock(mutex_);
  if (socket_.valid()) ::shutdown(socket_.get(), SHUT_RDWR);
}

void HttpRequester::hold(int socket) {
  const std::lock_guard lock(mutex_);
  socket_ = UniqueFd(::fcntl(socket, F_DUPFD_CLOEXEC, 0));
}

}  // namespace metricsd::exporters
