#include "sender.h"

#include <metricsd/ipc/endpoint.h>
#include <metricsd/ipc/passed_descriptor.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <variant>

#include <sys/socket.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

constexpr std::int64_t kFirstBackOffNs = 100 * kNsPerMs;
constexpr std::int64_t kLongestBackOffNs = kNsPerSecond;
constexpr std::int64_t kPatienceNs = kNsPerSecond;    // a daemon that lives answers a hello in far less
constexpr std::int64_t kFlushNs = 100 * kNsPerMs;     // between two flushes
constexpr std::int64_t kLongestPollMs = 20;           // while finishing
constexpr unsigned kHellos = 3;                       // answered by hanging up: then plain lines
constexpr std::size_t kMuch = std::size_t{64} << 10;  // worth a write of its own
constexpr std::size_t kParts = 16;                    // lines of one write

iovec part(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

}  // namespace

Sender::Sender(SenderOptions options, const Run& run, const Clock& clock, LossLedger& losses,
               Segment& segment, Outbox& outbox, TaskSamples& task_samples)
    : options_(std::move(options)),
      clock_(clock),
      losses_(losses),
      segment_(segment),
      outbox_(outbox),
      task_samples_(task_samples),
      state_(run, clock, losses),
      left_segments_(segment.left_by_others()),
      patience_ns_(kPatienceNs) {}

bool Sender::has_much_to_write() const {
  return connected() && outbox_.queue().unsent_bytes() >= kMuch;
}

Loss Sender::cause_of_backlog() const {
  if (connected()) return Loss::socket_queue_full;
  return untrusted_ ? Loss::socket_untrusted : Loss::socket_no_daemon;
}

std::optional<std::uint64_t> Sender::welcomed_connection() const {
  return connected() && mode_ != Mode::greeting ? std::optional(connections_) : std::nullopt;
}

// ---- The connection -------------------------------------------------------------------------------------

void Sender::pump() {
  if (connected() && !receive()) disconnect();
  if (!connected()) connect();
  if (!connected()) return;
  const bool unanswered = mode_ == Mode::greeting && clock_.monotonic_ns() >= welcome_deadline_ns_;
  if (unanswered && !welcomed_) begin_plain();
  if (mode_ != Mode::greeting) state_.tell_changes(outbox_.definitions());
  tell_of_tasks();
  if (outbox_.queue().awaits_much()) ask_for_ack();
  write_queued();
  if (mode_ == Mode::acknowledged && daemon_adopts_) {
    left_segments_.pump(options_.paths, options_.own_uid, clock_.monotonic_ns());
  }
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
  answers_ = std::make_unique<ipc::Decoder>(limits::kBatchLine);
  back_off_ns_ = 0;
  ++connections_;
  descriptor_owed_ = false;
  state_.begin_connection();
  if (fruitless_hellos_ >= kHellos && !welcomed_) return begin_plain();
  mode_ = Mode::greeting;
  welcome_deadline_ns_ = now + patience_ns_;
  say_hello();
}

void Sender::say_hello() {
  state_.hello({.client_id = segment_.client_id(),
                .pid = static_cast<std::uint64_t>(::getpid()),
                .streams = outbox_.positions()});
  descriptor_owed_ = segment_.descriptor() != -1;
}

void Sender::disconnect() {
  if (mode_ == Mode::greeting) ++fruitless_hellos_;
  if (mode_ == Mode::acknowledged) left_at_ns_ = clock_.monotonic_ns();
  if (mode_ == Mode::plain) {
    ++lost_connections_;
    fruitless_hellos_ = 0;  // the next daemon may be another one
  }
  closed_in_child_.reset();
  fd_ = UniqueFd();
  // A daemon that accepts and hangs up at once must not be met in a loop.
  next_attempt_ns_ = clock_.monotonic_ns() + kFirstBackOffNs;
  outbox_.queue().begin_connection({});
  plain_.rewind();
  state_.begin_connection();
}

bool Sender::receive() {
  std::array<char, 4096> chunk;
  while (true) {
    const ssize_t got = ::recv(fd_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (got == 0) return false;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    answers_->feed({chunk.data(), static_cast<std::size_t>(got)});
    for (auto step = answers_->next(); step != ipc::Decoder::Step::need_more; step = answers_->next()) {
      if (step == ipc::Decoder::Step::message && !handle(answers_->message())) return false;
    }
  }
}

bool Sender::handle(const ipc::Message& message) {
  if (const auto* welcome = std::get_if<ipc::WelcomeMessage>(&message)) {
    return mode_ != Mode::greeting || begin_acknowledged(*welcome);
  }
  if (const auto* ack = std::get_if<ipc::AckMessage>(&message)) {
    if (mode_ == Mode::acknowledged && outbox_.queue().release(ack->streams)) segment_.confirm();
  }
  return true;
}

bool Sender::begin_acknowledged(const ipc::WelcomeMessage& welcome) {
  if (welcome.protocol != ipc::kProtocol) {
    // The daemon is closing: what went to it now would be lost. The next connection may get lines.
    fruitless_hellos_ = kHellos;
    return false;
  }
  mode_ = Mode::acknowledged;
  fruitless_hellos_ = 0;
  welcomed_ = true;
  daemon_adopts_ = welcome.known.has_value();
  if (is_forgotten_by(welcome)) {
    lose(outbox_.queue().forget_sent(), Loss::socket_expired);
    begin_client();
    return false;
  }
  if (welcome.store_id != segment_.store_id()) {
    segment_.set_store(welcome.store_id);
    outbox_.queue().begin_store();
  }
  if (outbox_.queue().begin_connection(welcome.streams)) segment_.confirm();
  task_samples_.begin_connection();
  state_.tell_everything(outbox_.definitions());
  return true;
}

// A store that never kept anything of us may have been killed before it could. But one that says so, or that
// we were away from for as long as it remembers anybody, may have kept what it could not tell us.
bool Sender::is_forgotten_by(const ipc::WelcomeMessage& welcome) const {
  if (welcome.forgotten) return true;
  if (welcome.known.value_or(true) || welcome.store_id != segment_.store_id()) return false;
  return segment_.is_confirmed() || clock_.monotonic_ns() - left_at_ns_ >= limits::kClientIdleNs;
}

void Sender::begin_client() {
  segment_.set_client(random_id());
  state_.begin_client();
}

void Sender::begin_plain() {
  mode_ = Mode::plain;
  ++plain_connections_;
  // Should the daemon still come to answer, it must not miss what it got without numbers.
  begin_client();
  state_.tell_everything(outbox_.definitions());
}

void Sender::ask_for_ack() {
  const std::int64_t now = clock_.monotonic_ns();
  if (mode_ != Mode::acknowledged || now < next_flush_ns_) return;
  next_flush_ns_ = now + kFlushNs;
  state_.ask_for_ack();
}

// A daemon that knows no hello knows none of these either.
void Sender::tell_of_tasks() {
  if (mode_ == Mode::acknowledged) state_.tell(task_samples_);
}

// ---- Writing --------------------------------------------------------------------------------------------

bool Sender::has_unsent() const {
  if (!state_.empty()) return true;
  switch (mode_) {
    case Mode::greeting: return false;
    case Mode::acknowledged: return !plain_.empty() || !outbox_.queue().all_sent();
    case Mode::plain: return !plain_.empty() || !outbox_.queue().empty();
  }
  return false;
}

bool Sender::has_backlog() const {
  const bool has_samples = mode_ != Mode::plain && !task_samples_.all_taken();
  return !state_.empty() || !plain_.empty() || !outbox_.queue().empty() || has_samples;
}

bool Sender::between_lines() const {
  return plain_.at_line_start() && outbox_.queue().at_line_start();
}

std::span<const iovec> Sender::next_parts(std::span<iovec> parts) const {
  const auto one = [&parts](std::string_view bytes) -> std::span<const iovec> {
    if (bytes.empty()) return {};
    parts[0] = part(bytes);
    return parts.first(1);
  };
  if (!state_.empty() && between_lines()) return one(state_.front());
  if (mode_ == Mode::greeting) return {};
  if (!state_.empty()) return one(plain_.empty() ? outbox_.queue().begun_line() : plain_.begun_line());
  return plain_.empty() ? outbox_.queue().unsent(parts) : one(plain_.front());
}

void Sender::consume(std::size_t size) {
  if (!state_.empty() && between_lines()) {
    state_.consume(size);
    if (state_.empty()) task_samples_.note_written();
  } else if (plain_.empty()) {
    outbox_.queue().consume(size);
  } else {
    plain_.consume(size);
  }
}

void Sender::write_queued() {
  std::array<iovec, kParts> room;
  while (has_unsent()) {
    if (mode_ == Mode::plain) lose(plain_.refill(outbox_.queue()), cause_of_backlog());
    const auto parts = next_parts(room);
    if (parts.empty()) return;
    const int descriptor = descriptor_owed_ ? segment_.descriptor() : -1;
    const ssize_t written = ipc::send_parts(fd_.get(), parts, descriptor);
    if (written >= 0) {
      descriptor_owed_ = false;
      consume(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
      return;
    } else if (errno == ETOOMANYREFS && descriptor_owed_) {
      descriptor_owed_ = false;  // too many are under way: better a hello without it than none
    } else if (errno != EINTR) {
      return disconnect();
    }
  }
}

pollfd Sender::interest() const {
  const int out = has_unsent() ? POLLOUT : 0;
  return {.fd = fd_.get(), .events = static_cast<short>(POLLIN | out), .revents = 0};
}

// ---- The end --------------------------------------------------------------------------------------------

void Sender::finish(std::int64_t timeout_ns) {
  const std::int64_t deadline = clock_.monotonic_ns() + std::max<std::int64_t>(timeout_ns, 0);
  // Half of what there is, so that a daemon that knows no hello gets its lines too.
  patience_ns_ = std::min(patience_ns_, std::max<std::int64_t>(timeout_ns, 0) / 2);
  welcome_deadline_ns_ = std::min(welcome_deadline_ns_, clock_.monotonic_ns() + patience_ns_);
  next_attempt_ns_ = 0;
  std::uint64_t end_told_on = 0;  // which connection
  while (true) {
    pump();
    if (!outbox_.queue().empty() && !has_unsent()) ask_for_ack();
    const bool greeted = connected() && mode_ != Mode::greeting;
    if (!has_backlog() && greeted && end_told_on == connections_) break;
    if (!has_backlog() && greeted) {
      state_.tell_end(mode_ == Mode::acknowledged);
      end_told_on = connections_;
    }
    if (connected()) write_queued();
    if (!has_backlog() && end_told_on == connections_ && connected()) break;
    const bool hopeless = !connected() && (connections_ == 0 || !has_backlog());
    if (hopeless || clock_.monotonic_ns() >= deadline) break;
    pollfd socket = interest();
    const std::int64_t left_ms = (deadline - clock_.monotonic_ns()) / kNsPerMs + 1;
    static_cast<void>(
        ::poll(&socket, 1, static_cast<int>(std::clamp<std::int64_t>(left_ms, 1, kLongestPollMs))));
  }
  leave_the_rest();
  closed_in_child_.reset();
  fd_ = UniqueFd();
}

// A daemon that was there finds the segment by its name, or has its descriptor. What has no name may go with
// this process before anybody has read it.
void Sender::leave_the_rest() {
  lose(plain_.clear(), cause_of_backlog());
  task_samples_.drop_all();
  BatchQueue& queue = outbox_.queue();
  if (!queue.empty() && daemon_adopts_ && !segment_.path().empty()) {
    left_ = queue.sum();
    left_in_ = segment_.path();
    segment_.leave();
  } else {
    lose(queue.clear(), cause_of_backlog());
    segment_.remove_name();
  }
}

void Sender::lose(const BatchQueue::Sum& sum, Loss cause) {
  losses_.add(cause, sum.operations);
  lost_samples_ += sum.samples;
}

std::vector<std::string> Sender::warnings() const {
  std::vector<std::string> lines;
  if (plain_connections_ != 0) {
    lines.push_back("the daemon did not answer as one of this version does, " +
                    std::to_string(plain_connections_) +
                    " times: operations went to it as plain lines, without acknowledgement");
  }
  if (lost_connections_ != 0) {
    lines.push_back("the connection to that daemon was lost " + std::to_string(lost_connections_) +
                    " times: what was on its way then may not have arrived");
  }
  if (untrusted_) lines.emplace_back("the daemon at the socket runs as another user: nothing was sent to it");
  if (!left_in_.empty()) {
    lines.push_back("the daemon has not acknowledged " + std::to_string(left_.operations) +
                    " operations in time: they wait for it in " + left_in_);
  }
  return lines;
}

}  // namespace metricsd::client
