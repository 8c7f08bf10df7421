// What a daemon is told of state: who speaks, the run, its metrics, the users, the losses. All of it again on
// every connection that is welcomed, then what changes; ahead of what is queued, between two lines of that.
//
// Losses are told as totals: of one connection, for a daemon that knows only the connection, and of the
// client, for one that keeps what it heard of it.
#pragma once

#include "losses.h"
#include "task_samples.h"

#include <metricsd/ipc/message.h>
#include <metricsd/models/clock.h>
#include <metricsd/models/run.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace metricsd::client {

// The run as one line. The objects that only the files need are left out where it would be refused.
[[nodiscard]] std::string run_start_line(Run run);

// One thread.
class StateLines {
 public:
  StateLines(const Run& run, const Clock& clock, const LossLedger& losses);

  void set_users(std::uint64_t count) { users_ = count; }
  // The client goes on under another name: what was told was told of the one before.
  void begin_client() { told_of_others_ = told_; }

  // A new connection; nothing is told yet.
  void begin_connection();
  void hello(const ipc::HelloMessage& hello);
  // All there is, to a daemon that has welcomed this connection.
  void tell_everything(std::string_view definitions);
  // What has changed, where nothing else waits to be written.
  void tell_changes(std::string_view definitions);
  // Some of these, likewise.
  void tell(TaskSamples& samples);
  void ask_for_ack();
  // The losses and the run's end; `bye` where all is acknowledged.
  void tell_end(bool bye);

  // What waits to be written. The first byte of a connection is the first of its hello.
  [[nodiscard]] bool empty() const { return lines_.empty(); }
  [[nodiscard]] std::string_view front() const { return std::string_view(lines_).substr(sent_); }
  [[nodiscard]] bool at_start() const { return sent_ == 0; }
  void consume(std::size_t size);

 private:
  void tell_users();
  void tell_losses();
  void write_losses();

  const std::string run_id_;
  const std::string run_start_;  // the line
  const Clock& clock_;
  const LossLedger& losses_;
  std::string lines_;
  std::size_t sent_ = 0;
  std::uint64_t users_ = 0;
  std::uint64_t users_told_ = 0;      // on this connection
  std::size_t definitions_told_ = 0;  // bytes of them, on this connection
  LossTotals told_{};                 // in connections before and in this one, wholly written
  LossTotals being_told_{};           // as told_, once what lines_ holds is written
  LossTotals told_before_{};          // in connections before this one
  LossTotals told_of_others_{};       // of clients that this process was before
  std::int64_t next_heartbeat_ns_ = 0;
};

}  // namespace metricsd::client
