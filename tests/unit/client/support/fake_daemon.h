// A daemon's side of the socket, for tests: takes lines, or refuses to.
#pragma once

#include <metricsd/models/unique_fd.h>
#include <metricsd/support/temporary_directory.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace metricsd::client::testing {

// Waits until `condition` holds, for a generous time; whether it came to hold.
[[nodiscard]] bool eventually(const std::function<bool()>& condition);

// Listens from construction on, in a thread of its own. Any thread may ask.
class FakeDaemon {
 public:
  explicit FakeDaemon(std::filesystem::path socket, bool reads = true);
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;
  // Closes every connection, with whatever is unread, and removes the socket.
  ~FakeDaemon();

  // From now on it reads, or stops as one that got SIGSTOP does: connections stay, nothing is taken.
  void set_reading(bool reads) { reads_ = reads; }

  // Whole lines so far.
  [[nodiscard]] std::vector<std::string> lines() const;
  [[nodiscard]] std::uint64_t operations() const;
  // Lines whose `type` is this.
  [[nodiscard]] std::vector<std::string> of_type(std::string_view type) const;
  [[nodiscard]] std::uint64_t connections() const { return connections_; }

 private:
  struct Peer {
    UniqueFd fd;
    std::string partial;
  };

  void run();
  void accept_one();
  // False where the peer has gone.
  bool read_from(Peer& peer);

  std::filesystem::path path_;
  UniqueFd listener_;
  std::vector<Peer> peers_;
  std::atomic<bool> reads_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> connections_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace metricsd::client::testing
