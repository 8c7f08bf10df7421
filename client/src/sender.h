// One process's side of the socket: never waits, save in finish(), and never signals.
//
// Without a connection it tries again after 100 ms, doubling up to a second. Each connection begins with a
// hello, and once the daemon has welcomed it the run and the number of users are told anew. Operations go as
// batches, numbered in their streams, and are kept until the daemon says that they are durable: what a broken
// connection may have lost is sent again, and folded once. The numbers count what the queue took, so what it
// refuses leaves no hole; it is counted by its cause.
//
// A daemon that knows no hello says nothing to it: after a while the same operations go to it as plain lines,
// delivered at most once. Of these, a line that a broken connection cut in two is sent again whole. Who was
// welcomed once waits for the next welcome instead, as long as it takes: what went out in batches may have
// been folded, and a line says no number that it could be known by.
//
// Memory: twice `queue_bytes` at most; before such a daemon 8 MiB more.
#pragma once

#include "batch_queue.h"
#include "fork_guard.h"
#include "line_queue.h"
#include "losses.h"

#include <metricsd/ipc/batch.h>
#include <metricsd/ipc/decoder.h>
#include <metricsd/ipc/endpoint.h>
#include <metricsd/models/clock.h>
#include <metricsd/models/operation.h>
#include <metricsd/models/run.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <poll.h>

namespace metricsd::client {

struct SenderOptions {
  std::vector<std::filesystem::path> paths;  // of the socket, in the order to try
  uid_t own_uid = 0;
  std::size_t queue_bytes = 0;
  std::string client_id;
};

// One thread.
class Sender {
 public:
  Sender(SenderOptions options, const Run& run, const Clock& clock, LossLedger& losses);

  // Consecutive operations of one stream: begin_batch(), then add() or add_nothing() for each, end_batch().
  void begin_batch(std::uint32_t stream);
  void add(const OperationView& operation);
  // For a record that is no operation, counted by who calls.
  void add_nothing();
  // Queues them; what finds no room, or no memory, is counted. Returns how many since begin_batch() were
  // queued, and so have a number.
  std::uint64_t end_batch() noexcept;
  // The same where one of the others threw: counts what is not queued yet, which may be half a record.
  std::uint64_t abandon_batch() noexcept;

  void set_users(std::uint64_t count) { users_ = count; }

  // Families of metrics, once each: every connection is told of them before anything else.
  void define(const std::vector<ipc::DefineMessage>& families);
  // Whether push() would find room for a message of samples.
  [[nodiscard]] bool has_room() const;
  // Queues samples of families that are defined, and gives them their place in the stream of metrics.
  void push(ipc::SamplesMessage& message);
  // Rows that were pushed and that no daemon acknowledged, as far as finish() came.
  [[nodiscard]] std::uint64_t unacknowledged_samples() const { return unacknowledged_samples_; }
  // The number of the connection, where there is one and the daemon's answer has come.
  [[nodiscard]] std::optional<std::uint64_t> welcomed_connection() const;

  // Connects if it is time to, takes what the daemon says, and writes what the socket takes.
  void pump();
  // Whether to pump() before more is queued.
  [[nodiscard]] bool has_much_to_write() const;
  // What to wait for; -1 where there is nothing.
  [[nodiscard]] pollfd interest() const;

  // Gives the daemon at most `timeout_ns` to acknowledge what is queued, then counts the rest and ends the
  // run there. Does not wait for a daemon that never was.
  void finish(std::int64_t timeout_ns);

  // For a person, a line each.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  enum class Mode {
    greeting,      // a hello was sent and not answered
    acknowledged,  // batches
    plain,         // lines
  };

  [[nodiscard]] bool connected() const { return fd_.valid(); }
  void connect();
  void disconnect();
  // Takes what the daemon says. False where it has gone, or is to be left.
  [[nodiscard]] bool receive();
  [[nodiscard]] bool handle(const ipc::Message& message);
  [[nodiscard]] bool begin_acknowledged(const ipc::WelcomeMessage& welcome);
  void begin_plain();

  void queue_batch() noexcept;
  template <class Encode>
  [[nodiscard]] bool queue_line(const BatchQueue::Batch& batch, const Encode& encode) noexcept;
  void say_hello();
  void tell_everything();
  void tell_state();
  void tell_users();
  void tell_losses();
  void tell_end();
  void ask_for_ack();
  void write_queued();
  void unpack_batches();
  // Counts so many lines of plain_ that will not be sent.
  void count_lost_lines(std::uint64_t lines);
  [[nodiscard]] std::string_view next_chunk() const;
  void consume(std::size_t size);
  [[nodiscard]] bool has_unsent() const;
  [[nodiscard]] bool has_backlog() const;
  [[nodiscard]] Loss cause_of_backlog() const;

  SenderOptions options_;
  std::string run_id_;
  std::string run_start_;  // the line
  const Clock& clock_;
  LossLedger& losses_;

  UniqueFd fd_;
  std::optional<fork_guard::ClosedInChild> closed_in_child_;
  Mode mode_ = Mode::greeting;
  std::unique_ptr<ipc::Decoder> answers_;  // of this connection
  std::int64_t next_attempt_ns_ = 0;
  std::int64_t back_off_ns_ = 0;
  std::int64_t patience_ns_;  // with a daemon that does not answer a hello, while none ever has
  std::int64_t welcome_deadline_ns_ = 0;
  std::int64_t next_flush_ns_ = 0;
  bool untrusted_ = false;  // the last attempt met a daemon of somebody else
  std::uint64_t connections_ = 0;
  std::uint64_t lost_connections_ = 0;  // of those that deliver at most once
  std::uint64_t plain_connections_ = 0;
  unsigned fruitless_hellos_ = 0;  // in a row
  bool welcomed_ = false;          // on any connection: never again plain lines

  ipc::BatchEncoder encoder_;
  std::uint32_t stream_ = 0;         // of the batch that is being made
  std::uint64_t operations_ = 0;     // in it
  std::uint64_t queued_ = 0;         // records since begin_batch()
  std::vector<std::uint64_t> last_;  // by stream: the last number given
  std::string line_;                 // reused

  std::string definitions_;    // of metrics: lines
  std::uint64_t samples_ = 0;  // rows that were pushed: the last number given
  std::uint64_t unacknowledged_samples_ = 0;

  BatchQueue queue_;
  LineQueue plain_;                  // of the first batch of the queue, for a daemon that takes no batches
  std::uint64_t plain_samples_ = 0;  // rows of its one line, where that is samples
  std::string control_;              // state to tell, ahead of operations, between two of their lines
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
