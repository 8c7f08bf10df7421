// A blocking stream connection to a peer. Whoever serves none is no part of a measurement: errors are thrown
// as std::system_error and end the program. One thread.
#pragma once

#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace metricsd::load {

struct Address {
  std::string unix_path;       // where it is not empty
  std::uint16_t tcp_port = 0;  // else on 127.0.0.1
};

class Connection {
 public:
  static Connection open(const Address& address);
  explicit Connection(UniqueFd fd) : fd_(std::move(fd)) {}

  void write(std::string_view bytes);
  // How many bytes came; waits for some. 0: the peer has closed.
  std::size_t read(std::span<char> buffer);
  // What is there; 0 where there is nothing.
  std::size_t read_waiting(std::span<char> buffer);
  // Says that nothing more will come, and waits until the peer, having read all, closes as well.
  void finish();

 private:
  UniqueFd fd_;
};

class Listener {
 public:
  // The path must be free.
  explicit Listener(const std::string& unix_path);
  [[nodiscard]] Connection accept() const;

 private:
  UniqueFd fd_;
};

}  // namespace metricsd::load
