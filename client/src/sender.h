// One process's side of the socket: never waits, save in finish(), and never signals.
//
// Without a connection it tries again after 100 ms, doubling up to a second. Each connection begins with a
// hello, which brings the segment's descriptor; once the daemon has welcomed it state is told anew
// (state_lines.h). What the outbox queues is kept until the daemon says that it is durable: what a broken
// connection may have lost is sent again, and folded once.
//
// A welcome says whose store it is, and whether that knows the client. One that does not, though it has said
// before that it keeps something of it, has forgotten, and so has one that says so: what it may have counted
// can't be sent again, nor known to be counted. It is dropped and counted (Loss::socket_expired), and the
// rest goes on as another client's. Another store has never heard of the client and takes what is still
// queued.
//
// Samples of tasks go between, to a daemon that has welcomed us: the newest of them to each (task_samples.h).
//
// A daemon that knows no hello says nothing to it: after a while the same operations go to it as plain lines,
// delivered at most once (plain_lines.h). Who was welcomed once waits for the next welcome instead, as long
// as it takes: what went out in batches may have been folded, and a line says no number that it could be
// known by.
//
// To a daemon that adopts, segments go as well that others of this user left and it can not open.
#pragma once

#include "fork_guard.h"
#include "left_segments.h"
#include "losses.h"
#include "outbox.h"
#include "plain_lines.h"
#include "segment.h"
#include "state_lines.h"
#include "task_samples.h"

#include <metricsd/ipc/decoder.h>
#include <metricsd/models/clock.h>
#include <metricsd/models/run.h>
#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <poll.h>
#include <sys/uio.h>

namespace metricsd::client {

struct SenderOptions {
  std::vector<std::filesystem::path> paths;  // of the socket, in the order to try
  uid_t own_uid = 0;
};

// One thread.
class Sender {
 public:
  // All outlive it.
  Sender(SenderOptions options, const Run& run, const Clock& clock, LossLedger& losses, Segment& segment,
         Outbox& outbox, TaskSamples& task_samples);

  void set_users(std::uint64_t count) { state_.set_users(count); }
  // The number of the connection, where there is one and the daemon's answer has come.
  [[nodiscard]] std::optional<std::uint64_t> welcomed_connection() const;
  // Where a daemon is looked for, in that order.
  [[nodiscard]] const std::vector<std::filesystem::path>& paths() const { return options_.paths; }
  // Whether there ever was one.
  [[nodiscard]] bool has_met_daemon() const { return connections_ != 0; }
  // By what to count operations that the outbox refuses.
  [[nodiscard]] Loss cause_of_backlog() const;

  // Connects if it is time to, takes what the daemon says, and writes what the socket takes.
  void pump();
  // Whether to pump() before more is queued.
  [[nodiscard]] bool has_much_to_write() const;
  // What to wait for; -1 where there is nothing.
  [[nodiscard]] pollfd interest() const;

  // Gives the daemon at most `timeout_ns` to acknowledge what is queued, and ends the run there. Does not
  // wait for a daemon that never was. What is left then stays in the segment, where a daemon will find it,
  // or, where none would, is counted as lost.
  void finish(std::int64_t timeout_ns);

  // Rows of samples that no daemon acknowledged or will find, as far as finish() came.
  [[nodiscard]] std::uint64_t lost_samples() const { return lost_samples_; }
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
  void say_hello();
  // Takes what the daemon says. False where it has gone, or is to be left.
  [[nodiscard]] bool receive();
  [[nodiscard]] bool handle(const ipc::Message& message);
  [[nodiscard]] bool begin_acknowledged(const ipc::WelcomeMessage& welcome);
  void begin_plain();
  [[nodiscard]] bool is_forgotten_by(const ipc::WelcomeMessage& welcome) const;
  void begin_client();

  void ask_for_ack();
  void tell_of_tasks();
  void write_queued();
  [[nodiscard]] std::span<const iovec> next_parts(std::span<iovec> parts) const;
  void consume(std::size_t size);
  [[nodiscard]] bool between_lines() const;
  [[nodiscard]] bool has_unsent() const;
  [[nodiscard]] bool has_backlog() const;
  void lose(const BatchQueue::Sum& sum, Loss cause);
  void leave_the_rest();

  SenderOptions options_;
  const Clock& clock_;
  LossLedger& losses_;
  Segment& segment_;
  Outbox& outbox_;
  TaskSamples& task_samples_;
  StateLines state_;
  PlainLines plain_;
  LeftSegments left_segments_;

  UniqueFd fd_;
  std::optional<fork_guard::ClosedInChild> closed_in_child_;
  Mode mode_ = Mode::greeting;
  bool descriptor_owed_ = false;           // goes with the next byte
  std::unique_ptr<ipc::Decoder> answers_;  // of this connection
  std::int64_t next_attempt_ns_ = 0;
  std::int64_t back_off_ns_ = 0;
  std::int64_t patience_ns_;  // with a daemon that does not answer a hello, while none ever has
  std::int64_t welcome_deadline_ns_ = 0;
  std::int64_t next_flush_ns_ = 0;
  std::int64_t left_at_ns_ = 0;  // when the last connection that was welcomed ended
  bool untrusted_ = false;       // the last attempt met a daemon of somebody else
  std::uint64_t connections_ = 0;
  std::uint64_t lost_connections_ = 0;  // of those that deliver at most once
  std::uint64_t plain_connections_ = 0;
  unsigned fruitless_hellos_ = 0;  // in a row
  bool welcomed_ = false;          // on any connection: never again plain lines
  bool daemon_adopts_ = false;     // the last that welcomed us finishes what a client leaves
  std::uint64_t lost_samples_ = 0;
  BatchQueue::Sum left_{};  // in the segment, by finish()
  std::string left_in_;     // its path
};

}  // namespace metricsd::client
