// A real daemon, started from its binary on a socket in a temporary directory and a free port, and gone with
// its owner. It keeps no state unless its flags name a directory.
#pragma once

#include <metricsd/support/exposition_parser.h>
#include <metricsd/support/temporary_directory.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace metricsd::support {

// A connected socket; closes itself.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  [[nodiscard]] int fd() const { return fd_; }
  // All of it; false where the peer is gone.
  bool send(std::string_view bytes);
  // What the peer sends until `end` has come, it closes, or the deadline passes.
  [[nodiscard]] std::string receive_until(std::string_view end,
                                          std::chrono::milliseconds deadline = std::chrono::seconds(20));
  [[nodiscard]] std::string receive_all() { return receive_until(std::string_view()); }
  void finish_sending();
  void close();

 private:
  int fd_;
};

[[nodiscard]] Socket connect_unix(const std::filesystem::path& path);
[[nodiscard]] Socket connect_loopback(std::uint16_t port);

struct HttpAnswer {
  int status = 0;  // 0: no answer
  std::string head;
  std::string body;
};
[[nodiscard]] HttpAnswer parse_http_answer(std::string_view bytes);

struct DaemonOptions {
  std::vector<std::string> flags;
  std::optional<std::uint64_t> max_descriptors = std::nullopt;  // RLIMIT_NOFILE, soft and hard
  std::filesystem::path socket = {};                            // empty: one in a temporary directory
};

class DaemonProcess {
 public:
  // Starts it and waits until it answers. Throws std::runtime_error with what it logged where it does not.
  explicit DaemonProcess(const DaemonOptions& options = {});
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;
  ~DaemonProcess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const std::filesystem::path& socket() const { return socket_; }
  [[nodiscard]] std::uint16_t http_port() const { return http_port_; }
  // What it wrote to stderr so far.
  [[nodiscard]] std::string log() const;

  [[nodiscard]] Socket connect() const { return connect_unix(socket_); }
  // The answer of {"type":"status"} on the socket, without its newline.
  [[nodiscard]] std::string status() const;
  // `headers` are whole lines, each with its CR LF.
  [[nodiscard]] HttpAnswer request(std::string_view method, std::string_view target,
                                   std::string_view headers = {}) const;
  [[nodiscard]] HttpAnswer get(std::string_view target) const { return request("GET", target); }
  // A scrape, strictly parsed. Throws ExpositionError.
  [[nodiscard]] ExpositionPage scrape() const { return parse_exposition(get("/metrics").body); }

  // Sends a signal and waits for the end; the exit code, or minus the signal that killed it.
  int stop(int signal);

 private:
  void start(const DaemonOptions& options);
  void wait_until_ready();

  TemporaryDirectory directory_;
  std::filesystem::path socket_;
  pid_t pid_ = -1;
  std::uint16_t http_port_ = 0;
};

// Runs the binary with these flags to its end.
struct Ended {
  int exit_code = 0;
  std::string output;
  std::string errors;
};
[[nodiscard]] Ended run_daemon_binary(const std::vector<std::string>& flags);

// Asks until the answer is yes or a generous deadline passes; the last answer.
[[nodiscard]] bool eventually(const std::function<bool()>& condition,
                              std::chrono::milliseconds deadline = std::chrono::seconds(30));

}  // namespace metricsd::support
