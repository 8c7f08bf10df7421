#include "sender.h"

#include <metricsd/ipc/encoder.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <sys/socket.h>

namespace metricsd::client {
namespace {

constexpr std::int64_t kFirstBackOffNs = 100 * kNsPerMs;
constexpr std::int64_t kLongestBackOffNs = kNsPerSecond;
constexpr std::int64_t kHeartbeatNs = kNsPerSecond;
constexpr std::size_t kSmallestQueue = limits::kPlainLine;   // any line fits
constexpr std::size_t kLargestQueue = std::size_t{1} << 30;  // asked of the system in one piece
constexpr std::int64_t kLongestPollMs = 20;                  // while finishing

// The run as one line. The objects that only the files need are left out where the line would be refused.
std::string run_start_line(Run run) {
  std::string line;
  ipc::encode(line, ipc::RunStartMessage{run});
  if (line.size() <= limits::kPlainLine) return line;
  run.test_config.clear();
  run.environment.clear();
  run.client_info.clear();
  run.tags.clear();
  line.clear();
  ipc::encode(line, ipc::RunStartMessage{std::move(run)});
  return line;
}

}  // namespace

Sender::Sender(SenderOptions options, const Run& run, const Clock& clock, LossLedger& losses)
    : options_(std::move(options)),
      run_id_(run.test_run_id),
      run_start_(run_start_line(run)),
      clock_(clock),
      losses_(losses),
      queue_(std::clamp(options_.queue_bytes, kSmallestQueue, kLargestQueue)) {}

void Sender::push(std::string_view lines) {
  if (const std::uint64_t refused = queue_.push(lines); refused != 0)
    losses_.add(cause_of_backlog(), refused);
}

Loss Sender::cause_of_backlog() const {
  if (connected()) return Loss::socket_queue_full;
  return untrusted_ ? Loss::socket_untrusted : Loss::socket_no_daemon;
}

void Sender::pump() {
  if (connected() && peer_has_gone()) disconnect();
  if (!connected()) connect();
  if (!connected()) return;
  tell_state();
  write_queued();
}

void Sender::connect() {
  const std::int64_t now = clock_.monotonic_ns();
  if (now < next_attempt_ns_) return;
  Result<UniqueFd> attempt = ipc::connect_to_daemon(options_.paths, options_.own_uid);
  untrusted_ = attempt.has_error() && attempt.error() == Errc::endpoint_untrusted;
  if (!attempt) {
    back_off_ns_ = std::clamp(2 * back_off_ns_, kFirstBackOffNs, kLongestBackOffNs);
    next_attempt_ns_ = now + back_off_ns_;
    return;
  }
  fd_ = std::move(*attempt);
  closed_in_child_.emplace(fd_.get());
  back_off_ns_ = 0;
  ++connections_;
  told_before_ = told_;
  next_heartbeat_ns_ = 0;
  control_ = run_start_;
  tell_users();
}

void Sender::disconnect() {
  closed_in_child_.reset();
  fd_ = UniqueFd();
  ++lost_connections_;
  // A daemon that accepts and hangs up at once must not be met in a loop.
  next_attempt_ns_ = clock_.monotonic_ns() + kFirstBackOffNs;
  queue_.rewind();
  control_.clear();
  control_sent_ = 0;
  being_told_ = told_;
}

// The daemon answers nothing of what is sent here, but whatever comes is taken, so that the end behind it is
// seen.
bool Sender::peer_has_gone() const {
  char ignored[512];
  while (true) {
    const ssize_t got = ::recv(fd_.get(), ignored, sizeof ignored, MSG_DONTWAIT);
    if (got == 0) return true;
    if (got < 0 && errno != EINTR) return errno != EAGAIN && errno != EWOULDBLOCK;
  }
}

// Only once what was told before is written: else state would pile up before a daemon that does not read.
void Sender::tell_state() {
  if (!control_.empty()) return;
  if (users_told_ != users_) tell_users();
  tell_losses();
}

void Sender::tell_users() {
  ipc::encode(control_, ipc::UsersMessage{users_, {}, {}, {}});
  users_told_ = users_;
}

void Sender::tell_losses() {
  const LossTotals totals = losses_.totals();
  if (totals == being_told_ || clock_.monotonic_ns() < next_heartbeat_ns_) return;
  next_heartbeat_ns_ = clock_.monotonic_ns() + kHeartbeatNs;
  ipc::encode(control_, ipc::HeartbeatMessage{drop_counts(totals, told_before_)});
  being_told_ = totals;
}

void Sender::tell_end() {
  next_heartbeat_ns_ = 0;
  tell_losses();
  ipc::encode(control_, ipc::RunEndMessage{run_id_});
}

std::string_view Sender::next_chunk() const {
  if (control_.empty()) return queue_.front();
  if (queue_.at_line_start()) return std::string_view(control_).substr(control_sent_);
  return queue_.front().substr(0, queue_.front().find('\n') + 1);
}

void Sender::consume(std::size_t size) {
  if (control_.empty() || !queue_.at_line_start()) return queue_.consume(size);
  control_sent_ += size;
  if (control_sent_ < control_.size()) return;
  control_.clear();
  control_sent_ = 0;
  told_ = being_told_;
}

void Sender::write_queued() {
  while (has_backlog()) {
    const std::string_view chunk = next_chunk();
    const ssize_t written = ::send(fd_.get(), chunk.data(), chunk.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written >= 0) {
      consume(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
      return;
    } else if (errno != EINTR) {
      return disconnect();
    }
  }
}

int Sender::blocked_descriptor() const {
  return connected() && has_backlog() ? fd_.get() : -1;
}

void Sender::finish(std::int64_t timeout_ns) {
  const std::int64_t deadline = clock_.monotonic_ns() + std::max<std::int64_t>(timeout_ns, 0);
  next_attempt_ns_ = 0;
  std::uint64_t end_told_on = 0;  // which connection
  pump();
  while (true) {
    if (!has_backlog() && connected() && end_told_on != connections_) {
      tell_end();
      end_told_on = connections_;
      pump();
    }
    if (!worth_waiting() || clock_.monotonic_ns() >= deadline) break;
    pollfd socket{.fd = blocked_descriptor(), .events = POLLOUT, .revents = 0};
    const std::int64_t left_ms = (deadline - clock_.monotonic_ns()) / kNsPerMs + 1;
    static_cast<void>(
        ::poll(&socket, 1, static_cast<int>(std::clamp<std::int64_t>(left_ms, 1, kLongestPollMs))));
    pump();
  }
  const Loss cause = cause_of_backlog();
  losses_.add(cause, queue_.clear());
  closed_in_child_.reset();
  fd_ = UniqueFd();
}

std::vector<std::string> Sender::warnings() const {
  std::vector<std::string> lines;
  if (lost_connections_ != 0) {
    lines.push_back("the connection to the daemon was lost " + std::to_string(lost_connections_) +
                    " times: what was on its way then may not have arrived");
  }
  if (untrusted_) lines.emplace_back("the daemon at the socket runs as another user: nothing was sent to it");
  return lines;
}

}  // namespace metricsd::client
