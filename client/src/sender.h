// One process's side of the socket: never waits, save in finish(), and never signals.
//
// Without a connection it tries again after 100 ms, doubling up to a second. After each connect the run and
// the number of users are told anew. A line that a broken connection cut in two is sent again whole: without
// its newline no daemon has folded it. What was wholly written may still be lost with a daemon that dies
// before it reads: plain lines are delivered at most once. Memory: twice `queue_bytes` at most.
#pragma once

#include "fork_guard.h"
#include "line_queue.h"
#include "losses.h"

#include <metricsd/ipc/endpoint.h>
#include <metricsd/models/clock.h>
#include <metricsd/models/run.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::client {

struct SenderOptions {
  std::vector<std::filesystem::path> paths;  // of the socket, in the order to try
  uid_t own_uid = 0;
  std::size_t queue_bytes = 0;
};

// One thread.
class Sender {
 public:
  Sender(SenderOptions options, const Run& run, const Clock& clock, LossLedger& losses);

  // Operations as lines. What finds no room is counted.
  void push(std::string_view lines);
  void set_users(std::uint64_t count) { users_ = count; }

  // Connects if it is time to, and writes what the socket takes.
  void pump();
  // Where to wait for the socket to take more; -1 where there is nothing to wait for.
  [[nodiscard]] int blocked_descriptor() const;

  // Gives the daemon at most `timeout_ns` to take what is queued, then counts the rest and ends the run
  // there. Does not wait for a daemon that never was.
  void finish(std::int64_t timeout_ns);

  // For a person, a line each.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  [[nodiscard]] bool connected() const { return fd_.valid(); }
  void connect();
  void disconnect();
  [[nodiscard]] bool peer_has_gone() const;

  void tell_state();
  void tell_users();
  void tell_losses();
  void tell_end();
  void write_queued();
  [[nodiscard]] std::string_view next_chunk() const;
  void consume(std::size_t size);
  [[nodiscard]] bool has_backlog() const { return !queue_.empty() || !control_.empty(); }
  [[nodiscard]] Loss cause_of_backlog() const;
  [[nodiscard]] bool worth_waiting() const { return has_backlog() && (connected() || connections_ > 0); }

  SenderOptions options_;
  std::string run_id_;
  std::string run_start_;  // the line
  const Clock& clock_;
  LossLedger& losses_;

  UniqueFd fd_;
  std::optional<fork_guard::ClosedInChild> closed_in_child_;
  std::int64_t next_attempt_ns_ = 0;
  std::int64_t back_off_ns_ = 0;
  bool untrusted_ = false;  // the last attempt met a daemon of somebody else
  std::uint64_t connections_ = 0;
  std::uint64_t lost_connections_ = 0;

  LineQueue queue_;      // operations
  std::string control_;  // state to tell, ahead of operations, between two of their lines
  std::size_t control_sent_ = 0;
  std::uint64_t users_ = 0;
  std::uint64_t users_told_ = 0;  // on this connection

  // Losses are told as totals of one connection: a daemon that knows only the connection can then add them
  // up.
  LossTotals told_{};         // in connections before and in this one, wholly written
  LossTotals being_told_{};   // as told_, once what control_ holds is written
  LossTotals told_before_{};  // in connections before this one
  std::int64_t next_heartbeat_ns_ = 0;
};

}  // namespace metricsd::client
