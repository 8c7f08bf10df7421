#include "sender.h"

#include "batch_lines.h"

#include <metricsd/ipc/encoder.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>

#include <sys/socket.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

constexpr std::int64_t kFirstBackOffNs = 100 * kNsPerMs;
constexpr std::int64_t kLongestBackOffNs = kNsPerSecond;
constexpr std::int64_t kHeartbeatNs = kNsPerSecond;
constexpr std::int64_t kPatienceNs = kNsPerSecond;          // a daemon that lives answers a hello in far less
constexpr std::int64_t kFlushNs = 100 * kNsPerMs;           // between two flushes, while finishing
constexpr std::int64_t kLongestPollMs = 20;                 // while finishing
constexpr unsigned kHellos = 3;                             // answered by hanging up: then plain lines
constexpr std::size_t kSmallestQueue = limits::kPlainLine;  // any line fits
constexpr std::size_t kLargestQueue = std::size_t{1} << 30;   // asked of the system in one piece
constexpr std::size_t kPlainQueue = std::size_t{4} << 20;     // the lines of one batch, all of the longest
constexpr std::size_t kMuch = std::size_t{64} << 10;          // worth a write of its own
constexpr std::size_t kSamplesRoom = std::size_t{256} << 10;  // more than any message of samples takes
constexpr std::size_t kHelloBytes = 60 * 1024;                // within limits::kPlainLine

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
      patience_ns_(kPatienceNs),
      queue_(std::clamp(options_.queue_bytes, kSmallestQueue, kLargestQueue)),
      plain_(kPlainQueue) {}

// ---- Operations -----------------------------------------------------------------------------------------

void Sender::begin_batch(std::uint32_t stream) {
  operations_ = 0;
  queued_ = 0;
  stream_ = stream;
  if (stream >= last_.size()) last_.resize(stream + std::size_t{1});
  encoder_.begin(stream, last_[stream] + 1);
}

void Sender::add(const OperationView& operation) {
  if (encoder_.is_full()) queue_batch();
  const std::uint32_t shared = encoder_.shared({.operation_type = operation.operation_type,
                                                .workload_type = operation.workload_type,
                                                .driver = operation.driver,
                                                .success = operation.success,
                                                .error_code = operation.error_code});
  encoder_.add(shared, operation.duration_ns, operation.object_size_bytes, operation.retry_count);
  ++operations_;
}

void Sender::add_nothing() {
  if (encoder_.is_full()) queue_batch();
  encoder_.add_nothing();
}

std::uint64_t Sender::end_batch() noexcept {
  queue_batch();
  return queued_;
}

std::uint64_t Sender::abandon_batch() noexcept {
  losses_.add(cause_of_backlog(), operations_);
  operations_ = 0;
  encoder_.forget();
  return queued_;
}

// What there is no memory for finds no room.
template <class Encode>
bool Sender::queue_line(const BatchQueue::Batch& batch, const Encode& encode) noexcept {
  try {
    line_.clear();
    encode(line_);
    return queue_.push(batch, line_);
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void Sender::queue_batch() noexcept {
  const std::uint64_t count = encoder_.count();
  if (count == 0) return;
  const BatchQueue::Batch batch{.stream = stream_,
                                .last_seq = last_[stream_] + count,
                                .first_seq = last_[stream_] + 1,
                                .operations = operations_};
  if (queue_line(batch, [this](std::string& line) { encoder_.finish(line); })) {
    last_[stream_] = batch.last_seq;
    queued_ += count;
  } else {
    losses_.add(cause_of_backlog(), operations_);
  }
  encoder_.begin(stream_, last_[stream_] + 1);
  operations_ = 0;
}

bool Sender::has_much_to_write() const {
  return connected() && queue_.unsent().size() >= kMuch;
}

Loss Sender::cause_of_backlog() const {
  if (connected()) return Loss::socket_queue_full;
  return untrusted_ ? Loss::socket_untrusted : Loss::socket_no_daemon;
}

// ---- Metrics --------------------------------------------------------------------------------------------

void Sender::define(const std::vector<ipc::DefineMessage>& families) {
  const std::size_t before = definitions_.size();
  for (const ipc::DefineMessage& family : families) ipc::encode(definitions_, family);
  if (connected() && mode_ != Mode::greeting) control_.append(definitions_, before);
}

bool Sender::has_room() const {
  return queue_.empty() || queue_.has_room(kSamplesRoom);
}

void Sender::push(ipc::SamplesMessage& message) {
  message.position = ipc::StreamPosition{limits::kMetricsStream, samples_ + 1};
  const BatchQueue::Batch batch{.stream = limits::kMetricsStream,
                                .last_seq = samples_ + message.samples.size(),
                                .first_seq = samples_ + 1};
  if (queue_line(batch, [&message](std::string& line) { ipc::encode(line, message); })) {
    samples_ = batch.last_seq;
  } else {
    unacknowledged_samples_ += message.samples.size();
  }
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
  if (mode_ != Mode::greeting) tell_state();
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
  answers_ = std::make_unique<ipc::Decoder>(limits::kBatchLine);
  back_off_ns_ = 0;
  ++connections_;
  told_before_ = told_;
  next_heartbeat_ns_ = 0;
  if (fruitless_hellos_ >= kHellos && !welcomed_) return begin_plain();
  mode_ = Mode::greeting;
  welcome_deadline_ns_ = now + patience_ns_;
  say_hello();
}

void Sender::disconnect() {
  if (mode_ == Mode::greeting) ++fruitless_hellos_;
  if (mode_ == Mode::plain) {
    ++lost_connections_;
    fruitless_hellos_ = 0;  // the next daemon may be another one
  }
  closed_in_child_.reset();
  fd_ = UniqueFd();
  // A daemon that accepts and hangs up at once must not be met in a loop.
  next_attempt_ns_ = clock_.monotonic_ns() + kFirstBackOffNs;
  queue_.begin_connection({});
  plain_.rewind();
  control_.clear();
  control_sent_ = 0;
  being_told_ = told_;
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
    if (mode_ == Mode::acknowledged) queue_.release(ack->streams);
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
  queue_.begin_connection(welcome.streams);
  tell_everything();
  return true;
}

void Sender::begin_plain() {
  mode_ = Mode::plain;
  ++plain_connections_;
  // Should the daemon still come to answer, it must not miss what it got without numbers.
  options_.client_id = random_id();
  tell_everything();
}

// ---- What is said ---------------------------------------------------------------------------------------

// Names each stream that was ever used: a daemon that knows nothing of it takes it from there on.
void Sender::say_hello() {
  ipc::HelloMessage hello;
  hello.client_id = options_.client_id;
  hello.pid = static_cast<std::uint64_t>(::getpid());
  constexpr std::size_t kBytesEach = 48;
  for (std::uint32_t stream = 0; stream < last_.size() && stream < kHelloBytes / kBytesEach; ++stream) {
    hello.streams.push_back({stream, queue_.first_seq_of(stream).value_or(last_[stream] + 1)});
  }
  if (samples_ > 0) {
    hello.streams.push_back(
        {limits::kMetricsStream, queue_.first_seq_of(limits::kMetricsStream).value_or(samples_ + 1)});
  }
  control_.clear();
  ipc::encode(control_, hello);
}

void Sender::tell_everything() {
  control_ += run_start_;
  control_ += definitions_;
  tell_users();
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
  if (mode_ == Mode::acknowledged) ipc::encode(control_, ipc::ByeMessage{});
}

void Sender::ask_for_ack() {
  const std::int64_t now = clock_.monotonic_ns();
  if (mode_ != Mode::acknowledged || queue_.empty() || has_unsent() || now < next_flush_ns_) return;
  next_flush_ns_ = now + kFlushNs;
  ipc::encode(control_, ipc::FlushMessage{});
}

// ---- Writing --------------------------------------------------------------------------------------------

bool Sender::has_unsent() const {
  if (!control_.empty()) return true;
  switch (mode_) {
    case Mode::greeting: return false;
    case Mode::acknowledged: return !plain_.empty() || !queue_.all_sent();
    case Mode::plain: return !plain_.empty() || !queue_.empty();
  }
  return false;
}

bool Sender::has_backlog() const {
  return !control_.empty() || !plain_.empty() || !queue_.empty();
}

std::string_view Sender::next_chunk() const {
  const bool between_lines = plain_.at_line_start() && queue_.at_line_start();
  if (!control_.empty() && between_lines) return std::string_view(control_).substr(control_sent_);
  if (mode_ == Mode::greeting) return {};
  if (!plain_.empty()) {
    return control_.empty() ? plain_.front() : plain_.front().substr(0, plain_.front().find('\n') + 1);
  }
  return control_.empty() ? queue_.unsent() : queue_.begun_line();
}

void Sender::consume(std::size_t size) {
  if (control_.empty() || !plain_.at_line_start() || !queue_.at_line_start())
    return plain_.empty() ? queue_.consume(size) : plain_.consume(size);
  control_sent_ += size;
  if (control_sent_ < control_.size()) return;
  control_.clear();
  control_sent_ = 0;
  told_ = being_told_;
}

void Sender::write_queued() {
  while (has_unsent()) {
    if (mode_ == Mode::plain) unpack_batches();
    const std::string_view chunk = next_chunk();
    if (chunk.empty()) return;
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

void Sender::unpack_batches() {
  while (plain_.empty() && !queue_.empty()) {
    line_.clear();
    append_batch_as_lines(line_, queue_.front_line());
    const BatchQueue::Batch& batch = queue_.front();
    plain_samples_ = batch.stream == limits::kMetricsStream ? batch.last_seq - batch.first_seq + 1 : 0;
    count_lost_lines(plain_.push(line_));
    queue_.pop_front();
  }
}

void Sender::count_lost_lines(std::uint64_t lines) {
  if (plain_samples_ == 0) return losses_.add(cause_of_backlog(), lines);
  unacknowledged_samples_ += lines * plain_samples_;
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
    ask_for_ack();
    const bool greeted = connected() && mode_ != Mode::greeting;
    if (!has_backlog() && greeted && end_told_on == connections_) break;
    if (!has_backlog() && greeted) {
      tell_end();
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
  const auto kept = queue_.first_seq_of(limits::kMetricsStream);
  if (kept) unacknowledged_samples_ += samples_ + 1 - *kept;
  losses_.add(cause_of_backlog(), queue_.clear());
  count_lost_lines(plain_.clear());
  closed_in_child_.reset();
  fd_ = UniqueFd();
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
  return lines;
}

}  // namespace metricsd::client
