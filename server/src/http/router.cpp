#include "router.h"

#include "gzip.h"
#include "timeouts.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <limits>
#include <string_view>
#include <utility>

#include <httplib.h>

namespace metricsd::server::http {
namespace {

// A request to read and room for a response: all that cpp-httplib sees of a connection.
class MemoryStream : public httplib::Stream {
 public:
  explicit MemoryStream(std::string_view input) : input_(input) {}

  [[nodiscard]] bool is_readable() const override { return !input_.empty(); }
  [[nodiscard]] bool is_writable() const override { return true; }

  ssize_t read(char* to, std::size_t size) override {
    const std::size_t taken = std::min(size, input_.size());
    std::memcpy(to, input_.data(), taken);
    input_.remove_prefix(taken);
    return static_cast<ssize_t>(taken);
  }

  ssize_t write(const char* from, std::size_t size) override {
    output_.append(from, size);
    return static_cast<ssize_t>(size);
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override { get_remote_ip_and_port(ip, port); }
  [[nodiscard]] socket_t socket() const override { return INVALID_SOCKET; }

  [[nodiscard]] std::string take_output() { return std::move(output_); }

 private:
  std::string_view input_;
  std::string output_;
};

// Less than this is sent as it is: it would fit one packet either way.
constexpr std::size_t kWorthCompressing = 1024;

// What tells a handler that the client takes gzip. Not the header it came in: cpp-httplib would compress
// whatever it is, and thoroughly, which takes three times as long for a fifth less.
constexpr const char* kTakesGzip = "Takes-Gzip";

// A query may hold question marks (RFC 3986, 3.4); cpp-httplib refuses a second one.
std::string canonical_target(std::string target) {
  std::size_t mark = target.find('?');
  while (mark != std::string::npos && (mark = target.find('?', mark + 1)) != std::string::npos)
    target.replace(mark, 1, "%3F");
  return target;
}

// The request as cpp-httplib is given it: what our reader understood, and no header that it did not ask for
// (ranges alone would let one request ask for a body a hundred times).
std::string canonical_request(const Request& request) {
  std::string text =
      request.method + " " + canonical_target(request.target) + " HTTP/1.1\r\nHost: metricsd\r\n";
  if (request.accepts_gzip) text += std::string(kTakesGzip) + ": yes\r\n";
  text += request.keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return text;
}

// A route, with its path taken apart at the name in it.
struct Matcher {
  explicit Matcher(Route given) : route(std::move(given)) {
    const std::size_t open = route.path.find('{');
    begin = route.path.substr(0, open);
    if (open == std::string::npos) return;
    const std::size_t close = route.path.find('}', open);
    name = route.path.substr(open + 1, close - open - 1);
    end = route.path.substr(close + 1);
  }

  [[nodiscard]] bool matches(std::string_view path) const {
    if (name.empty()) return path == begin;
    return path.size() > begin.size() + end.size() && path.starts_with(begin) && path.ends_with(end);
  }
  // Of a path that matches.
  [[nodiscard]] std::string named_part(std::string_view path) const {
    return std::string(path.substr(begin.size(), path.size() - begin.size() - end.size()));
  }

  Route route;
  std::string begin;
  std::string name;  // empty: the path is `begin`
  std::string end;
};

Query query_of(const Matcher& matcher, const httplib::Request& request) {
  Query query;
  if (!matcher.name.empty()) query.emplace(matcher.name, matcher.named_part(request.path));
  for (const auto& [name, value] : request.params) query.emplace(name, value);
  return query;
}

void fill(httplib::Response& to, Response from) {
  to.status = from.status;
  for (const auto& [name, value] : from.headers) to.set_header(name, value);
  to.set_header("Content-Type", from.content_type);
  to.body = std::move(from.body);
}

void fill_plain(httplib::Response& to, int status, const char* text) {
  fill(to, {.status = status, .content_type = kPlainText, .body = text});
}

void compress(Response& response) {
  if (response.body.size() < kWorthCompressing || response.body.size() > kGzipMost) return;
  response.body = gzip(response.body);
  response.headers.emplace("Content-Encoding", "gzip");
}

std::string_view status_text(int status) {
  switch (status) {
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 417: return "Expectation Failed";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Bad Request";
  }
}

}  // namespace

// process_request() is protected: it serves who derives. Paths are matched here: cpp-httplib would do so by
// regular expressions.
class Router::Engine : public httplib::Server {
 public:
  explicit Engine(std::vector<Route> routes) {
    for (Route& route : routes) routes_.emplace_back(std::move(route));
    // What it tells clients of keeping alive; the front is who does it.
    set_keep_alive_timeout(kIdleSeconds);
    set_keep_alive_max_count(std::numeric_limits<int>::max());
    set_default_headers(
        {{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}, {"Vary", "Accept-Encoding"}});
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      answer(request, response);
      return HandlerResponse::Handled;
    });
    // Without a handler of ours an exception's text would reach the client.
    set_exception_handler([](const httplib::Request&, httplib::Response& response,
                             const std::exception_ptr&) { fill_plain(response, 500, "internal error\n"); });
  }

  [[nodiscard]] const Matcher* find(std::string_view path) const {
    const auto found = std::find_if(routes_.begin(), routes_.end(),
                                    [path](const Matcher& each) { return each.matches(path); });
    return found == routes_.end() ? nullptr : &*found;
  }

  std::string respond(const Request& request) {
    const std::string text = canonical_request(request);
    MemoryStream stream(text);
    bool closed = false;
    process_request(stream, !request.keep_alive, closed, nullptr);
    return stream.take_output();
  }

 private:
  void answer(const httplib::Request& request, httplib::Response& response) const {
    const Matcher* const found = find(request.path);
    if (found == nullptr) return fill_plain(response, 404, "not found\n");
    if (request.method != "GET" && request.method != "HEAD") {
      response.set_header("Allow", "GET, HEAD");
      return fill_plain(response, 405, "method not allowed\n");
    }
    Response answer = found->route.handler(query_of(*found, request));
    if (request.has_header(kTakesGzip)) compress(answer);
    fill(response, std::move(answer));
  }

  std::vector<Matcher> routes_;
};

// The library makes tables of its own when it first reads a request, guarded by what the thread sanitizer
// cannot see in it: one thread asks for what is not there, before there are more.
Router::Router(std::vector<Route> routes) : engine_(std::make_unique<Engine>(std::move(routes))) {
  static_cast<void>(engine_->respond({.method = "GET", .target = "/-"}));
}
Router::~Router() = default;

std::string Router::respond(const Request& request) const {
  return engine_->respond(request);
}

std::optional<SharedQuestion> Router::shared_question(const Request& request) const {
  const std::size_t query = std::min(request.target.find('?'), request.target.size());
  const std::string path = httplib::detail::decode_url(request.target.substr(0, query), false);
  const Matcher* const found = engine_->find(path);
  if (found == nullptr || found->route.is_cheap) return std::nullopt;
  Request shared = request;
  shared.target = path;
  if (found->route.reads_query) shared.target += request.target.substr(query);
  const bool is_one_of_many = found->route.reads_query || !found->name.empty();
  return SharedQuestion{.key = canonical_request(shared), .is_one_of_many = is_one_of_many};
}

std::string refusal_response(int status) {
  const std::string reason(status_text(status));
  return "HTTP/1.1 " + std::to_string(status) + " " + reason + "\r\nContent-Type: " + kPlainText +
         "\r\nContent-Length: " + std::to_string(reason.size() + 1) +
         "\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n" + reason + "\n";
}

}  // namespace metricsd::server::http
