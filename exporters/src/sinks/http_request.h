// HTTP requests to one origin, each on a connection of its own, that somebody else can break off.
#pragma once

#include <metricsd/models/unique_fd.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

namespace metricsd::exporters {

struct HttpRequest {
  std::string method;
  std::string path;  // as it stands in the request
  std::string content_type{};
  std::string body{};
};

// One thread, save for cut().
class HttpRequester {
 public:
  // `wait` bounds each single wait for the peer, not their sum.
  HttpRequester(const std::string& origin, std::chrono::milliseconds wait);
  ~HttpRequester();

  // Empty where the answer was 2xx; else why not, in one line.
  [[nodiscard]] std::string send(const HttpRequest& request);
  // Any thread: the request that is on its way fails soon, unless it looks up a name.
  void cut();

 private:
  struct Client;

  void hold(int socket);

  std::unique_ptr<Client> client_;
  std::mutex mutex_;
  UniqueFd socket_;  // the connection's, under a number of our own: the client closes its own when it likes
};

}  // namespace metricsd::exporters
