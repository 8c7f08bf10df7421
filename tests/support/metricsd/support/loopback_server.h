// A peer that behaves as badly as a test wants: each connection to a free port of the loopback interface is
// handed to a function, one after the other, on a thread of its own.
#pragma once

#include <metricsd/models/unique_fd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace metricsd::support {

// One end of a connection. Waits as long as it takes; ends early when the server is.
class LoopbackPeer {
 public:
  LoopbackPeer(UniqueFd socket, int stop) : socket_(std::move(socket)), stop_(stop) {}

  // At most `size` bytes, as they come; empty once the other side has closed, or the server ends.
  [[nodiscard]] std::string read(std::size_t size) const;
  // `size` bytes, or fewer where there are no more.
  [[nodiscard]] std::string read_all_of(std::size_t size) const;
  // False where nobody reads any more, or the server ends.
  bool write(std::string_view bytes) const;
  // Says nothing until the other side has gone, or the server ends.
  void wait_until_gone() const;
  // The head and the body of one HTTP request.
  [[nodiscard]] std::string read_request() const;

 private:
  [[nodiscard]] bool wait_readable() const;

  UniqueFd socket_;
  int stop_;
};

class LoopbackServer {
 public:
  using Serve = std::function<void(const LoopbackPeer&)>;

  explicit LoopbackServer(Serve serve);
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;
  ~LoopbackServer();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void run();

  Serve serve_;
  std::uint16_t port_ = 0;
  UniqueFd listener_;
  UniqueFd stop_;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

// A port of the loopback interface on which nobody listened a moment ago.
[[nodiscard]] std::uint16_t unused_port();

}  // namespace metricsd::support
