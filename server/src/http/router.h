// From a request to the bytes of its response. cpp-httplib parses, routes, compresses and renders; it is
// given complete, bounded requests in memory and never a socket (its own server lets slow clients hold its
// threads).
#pragma once

#include "request_reader.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace metricsd::server::http {

inline constexpr const char* kPlainText = "text/plain; charset=utf-8";

struct Response {
  int status = 200;
  std::string content_type;
  std::string body;
  std::map<std::string, std::string> headers = {};
};

// The parameters of a target, decoded: what stands in its path where the route has a name, then those of its
// query; of a name given twice the first.
using Query = std::map<std::string, std::string>;

// Answers GET and, without its body, HEAD.
struct Route {
  // One part of it may be a name in braces, and stands for any text that is not empty: "/tasks/{id}/metrics".
  std::string path;
  std::function<Response(const Query&)> handler;  // any thread
  bool is_cheap = false;                          // takes microseconds, and waits for nobody
  bool reads_query = false;                       // else the answer is the same whatever the query says
};

// What requests that must get the same answer have in common.
struct SharedQuestion {
  std::string key;
  bool is_one_of_many = false;  // clients can think of any number of them
};

// Any thread.
class Router {
 public:
  explicit Router(std::vector<Route> routes);
  ~Router();

  // Unknown paths are answered with 404, other methods than GET and HEAD with 405, handlers that throw with
  // 500.
  [[nodiscard]] std::string respond(const Request& request) const;

  // Nothing for what is cheap to answer: a cheap route, or none at all.
  [[nodiscard]] std::optional<SharedQuestion> shared_question(const Request& request) const;

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

// A response to what is no request; the connection closes behind it.
[[nodiscard]] std::string refusal_response(int status);

}  // namespace metricsd::server::http
