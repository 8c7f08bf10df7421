#include "session.h"

#include <metricsd/ipc/encoder.h>
#include <metricsd/ipc/passed_descriptor.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <sys/ioctl.h>
#include <sys/socket.h>

namespace metricsd::server {
namespace {

// How long a peer that has said its last may take to read its answers.
constexpr std::chrono::seconds kFarewell{30};

// What lies in a socket and was not read yet.
std::size_t waiting_bytes(int fd) {
  int bytes = 0;
  return ::ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

}  // namespace

Session::Session(SessionContext& context, boost::asio::local::stream_protocol::socket socket, Arrival arrival)
    : context_(context),
      socket_(std::move(socket)),
      sender_(arrival.id),
      peer_(arrival.peer),
      seat_(std::move(arrival.seat)) {}

void Session::start() {
  open();
  wait_readable();
}

void Session::start(const ipc::HelloMessage& hello, std::string_view rest) {
  open();
  has_begun_ = true;
  context_.aggregator.begin_chunk(0);  // the bytes were counted where they were read
  handle_hello(hello);
  take(rest);
  if (!closed_ && !input_ended_) wait_readable();
}

void Session::open() {
  context_.aggregator.open();
  context_.logger.debug("connection opened",
                        {{"connection", sender_.id}, {"pid", peer_.pid}, {"uid", peer_.uid}});
}

void Session::wait_readable() {
  socket_.async_wait(socket_.wait_read, [self = shared_from_this()](const error_code& error) {
    if (!error && !self->closed_ && !self->has_stopped_reading_) self->on_readable();
  });
}

void Session::on_readable() {
  UserShare* const share = seat_.rate();
  if (share == nullptr) {
    read(context_.read_buffer.size());
    return;
  }
  const std::size_t bytes = std::min(waiting_bytes(socket_.native_handle()), context_.read_buffer.size());
  const std::int64_t now_ns = context_.clock.monotonic_ns();
  const std::int64_t turn_ns = bytes == 0 ? now_ns : share->reserve(bytes, now_ns);
  if (turn_ns <= now_ns) {
    read(std::max<std::size_t>(bytes, 1));  // of nothing, the end is read
  } else {
    read_after(turn_ns - now_ns, bytes);
  }
}

// What it sends meanwhile fills its socket and makes it wait.
void Session::read_after(std::int64_t wait_ns, std::size_t bytes) {
  if (const auto count = context_.budget.spend("slowed", context_.clock.monotonic_ns())) {
    context_.logger.warning("a user sends more than it may and is read more slowly",
                            {{"uid", peer_.uid}, {"pid", peer_.pid}, {"count", *count}});
  }
  if (!turn_) turn_ = std::make_unique<boost::asio::steady_timer>(socket_.get_executor());
  turn_->expires_after(std::chrono::nanoseconds(wait_ns));
  turn_->async_wait([self = shared_from_this(), bytes](const error_code& error) {
    if (!error && !self->closed_ && !self->has_stopped_reading_) self->read(bytes);
  });
}

void Session::read(std::size_t at_most) {
  switch (read_once(at_most)) {
    case ReadOutcome::ended: on_end_of_input(); return;
    case ReadOutcome::data:
    case ReadOutcome::nothing: break;
  }
  if (!closed_ && !input_ended_) wait_readable();
}

Session::ReadOutcome Session::read_once(std::size_t at_most) {
  const std::span<char> buffer = context_.read_buffer.first(at_most);
  const ssize_t size = ipc::receive(socket_.native_handle(), buffer, passed_);
  if (size == 0) return ReadOutcome::ended;
  if (size < 0) {
    const bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    return later ? ReadOutcome::nothing : ReadOutcome::ended;
  }
  context_.aggregator.begin_chunk(static_cast<std::size_t>(size));
  take({buffer.data(), static_cast<std::size_t>(size)});
  return ReadOutcome::data;
}

void Session::take(std::string_view bytes) {
  unacked_bytes_ += bytes.size();
  decoder_.feed(bytes);
  const bool a_line_ended = decode_all();
  bound_passed();
  context_.aggregator.end_chunk();
  if (context_.aggregator.has_changed()) context_.note_change();
  note_progress();
  note_held(a_line_ended);
}

// Nobody may fill our table of descriptors: neither with those that no message has come for, nor with first
// lines that do not end.
void Session::bound_passed() {
  if (has_begun_ || !passed_.valid()) {
    passed_ = UniqueFd();
    passed_place_.reset();
  } else if (!passed_place_) {
    passed_place_ = context_.segments.hold(peer_.uid);
    if (!passed_place_) passed_ = UniqueFd();
  }
}

// Whether there was anything.
bool Session::decode_all() {
  bool any = false;
  while (!closed_ && !input_ended_) {
    const ipc::Decoder::Step step = decoder_.next();
    if (step == ipc::Decoder::Step::need_more) break;
    handle_step(step);
    has_begun_ = true;
    any = true;
  }
  return any;
}

void Session::note_held(bool begins_anew) {
  if (closed_) return;
  context_.held.set(sender_.id, decoder_.held_bytes() + unsent_.size(), begins_anew && unsent_.empty());
  while (const auto surplus = context_.held.surplus()) context_.let_go(*surplus);
}

void Session::let_go() {
  if (const auto count = context_.budget.spend("let_go", context_.clock.monotonic_ns())) {
    context_.logger.warning("connection let go: too much is held for half lines and unread answers",
                            {{"connection", sender_.id},
                             {"pid", peer_.pid},
                             {"uid", peer_.uid},
                             {"held", context_.held.sum()},
                             {"count", *count}});
  }
  if (!input_ended_ && decoder_.finish() == ipc::Decoder::Step::refusal) {
    handle_step(ipc::Decoder::Step::refusal);
  }
  close();
}

void Session::handle_step(ipc::Decoder::Step step) {
  switch (step) {
    case ipc::Decoder::Step::operation:
      context_.aggregator.apply(sender_, decoder_.operation(), decoder_.unknown_fields());
      break;
    case ipc::Decoder::Step::batch:
      if (const auto applied = context_.aggregator.apply(sender_, decoder_.batch()); !applied) {
        const auto& refusal = decoder_.batch().refusal;
        note_refusal(static_cast<Errc>(applied.error().value()),
                     refusal ? std::string_view(refusal->detail) : std::string_view());
      }
      break;
    case ipc::Decoder::Step::message: handle_message(decoder_.message()); break;
    case ipc::Decoder::Step::refusal:
      context_.aggregator.refuse(decoder_.refusal().reason);
      note_refusal(decoder_.refusal().reason, decoder_.refusal().detail);
      break;
    case ipc::Decoder::Step::need_more: break;
  }
}

void Session::handle_message(const ipc::Message& message) {
  if (const auto* hello = std::get_if<ipc::HelloMessage>(&message); hello != nullptr && !has_begun_) {
    handle_hello(*hello);
    return;
  }
  if (std::holds_alternative<ipc::AdoptMessage>(message)) {
    hand_in_segment();
    return;
  }
  const bool is_bye = std::holds_alternative<ipc::ByeMessage>(message) && sender_.client != nullptr;
  if (is_bye) context_.segments.let_go(peer_.uid, sender_.client->id);
  if (const auto applied = context_.aggregator.apply(sender_, message); !applied) {
    note_refusal(static_cast<Errc>(applied.error().value()), "");
    return;
  }
  if (std::holds_alternative<ipc::FlushMessage>(message)) {
    answer_flush();
    context_.hasten_checkpoint();
  }
  if (std::holds_alternative<ipc::StatusRequest>(message)) {
    ++statuses_owed_;
    answer_status();
  }
}

void Session::handle_hello(const ipc::HelloMessage& hello) {
  if (hello.protocol != ipc::kProtocol) {
    turn_away(Errc::unsupported_protocol, context_.aggregator.highest_protocol());
    return;
  }
  if (passed_.valid()) {
    context_.segments.keep(peer_.uid, peer_.pid, hello.client_id, std::exchange(passed_, UniqueFd()));
  }
  if (const auto shard = context_.other_shard_of(peer_.uid, hello.client_id)) {
    hand_over(*shard, hello);
    return;
  }
  if (context_.aggregator.has_forgotten(peer_.uid, hello.client_id)) {
    turn_away(Errc::client_forgotten, context_.aggregator.forgotten());
    return;
  }
  if (const auto older = context_.aggregator.connection_of(peer_.uid, hello.client_id)) {
    context_.close(*older);
  }
  const auto welcome = context_.aggregator.greet(sender_, peer_.uid, hello);
  if (!welcome) {
    note_refusal(static_cast<Errc>(welcome.error().value()), "");
    end_input();
    return;
  }
  decoder_.set_max_line(limits::kBatchLine);
  reply_with(*welcome);
}

void Session::turn_away(Errc reason, const ipc::WelcomeMessage& why) {
  context_.aggregator.refuse(reason);
  note_refusal(reason, "");
  reply_with(why);
  end_input();
}

void Session::hand_over(std::size_t shard, const ipc::HelloMessage& hello) {
  const std::string rest(decoder_.take_rest());
  error_code error;
  UniqueFd socket(socket_.release(error));
  if (!error) {
    context_.hand_over(shard, {.connection = {.socket = std::move(socket),
                                              .id = sender_.id,
                                              .peer = peer_,
                                              .seat = std::move(seat_)},
                               .hello = hello,
                               .rest = rest});
  }
  close();
}

// One that sends nothing more hears of the rest all the same.
void Session::note_progress() {
  if (closed_ || sender_.client == nullptr || sender_.client->moved.empty()) return;
  if (unacked_bytes_ >= limits::kAckBytes) {
    send_ack();
  } else if (!std::exchange(ack_owed_, true)) {
    context_.ack_later(shared_from_this());
  }
}

void Session::send_ack() {
  ack_owed_ = false;
  if (closed_ || sender_.client == nullptr || sender_.client->moved.empty()) return;
  answer_flush();
}

// An answer that tells of no stream says as well that all of them are where they were.
void Session::answer_flush() {
  unacked_bytes_ = 0;
  reply_with(ipc::AckMessage{Clients::take_progress(*sender_.client)});
}

// The answer may take a checkpoint's time. One at a time: each is a descriptor of ours.
void Session::hand_in_segment() {
  UniqueFd segment = std::exchange(passed_, UniqueFd());
  if (adoptions_owed_ > 0) {
    return reply_with(ipc::AdoptedMessage{.client_id = "", .error = std::string(ipc::kAdoptionBusy)});
  }
  ++adoptions_owed_;
  const auto answer = [self = shared_from_this(), post = context_.post](const ipc::AdoptedMessage& adopted) {
    post([self, adopted] {
      --self->adoptions_owed_;
      if (!self->closed_) self->reply_with(adopted);
      self->close_when_answered();
    });
  };
  context_.segments.hand_in(std::move(segment), peer_.uid, answer);
}

void Session::note_refusal(Errc reason, std::string_view detail) {
  const std::string_view name = metricsd::reason(reason);
  const auto count = context_.budget.spend(name, context_.clock.monotonic_ns());
  if (!count) return;
  context_.logger.warning("refused", {{"reason", name},
                                      {"count", *count},
                                      {"field", detail},
                                      {"connection", sender_.id},
                                      {"pid", peer_.pid},
                                      {"uid", peer_.uid}});
}

// One request for the document is under way at a time, whatever a peer asks for: what is asked meanwhile gets
// the next one.
void Session::answer_status() {
  if (status_requested_ || statuses_owed_ == 0 || closed_) return;
  status_requested_ = true;
  const std::uint64_t answered = std::exchange(statuses_owed_, 0);
  context_.request_status([self = shared_from_this(), answered](const std::string& line) {
    self->status_requested_ = false;
    for (std::uint64_t i = 0; i < answered && !self->closed_; ++i) self->reply(line);
    self->answer_status();
    self->close_when_answered();
  });
}

void Session::reply(std::string_view line) {
  if (is_deaf_) return;
  if (unsent_.size() + line.size() > limits::kReplyBacklog) {
    if (const auto count = context_.budget.spend("deaf", context_.clock.monotonic_ns())) {
      context_.logger.warning(
          "connection let go: it does not read its answers",
          {{"connection", sender_.id}, {"pid", peer_.pid}, {"uid", peer_.uid}, {"count", *count}});
    }
    close();
    return;
  }
  unsent_ += line;
  if (writing_) {
    note_held(false);
  } else {
    write_some();
  }
}

template <class Answer>
void Session::reply_with(const Answer& answer) {
  std::string line;
  ipc::encode(line, answer);
  reply(line);
}

void Session::write_some() {
  const ssize_t sent =
      ::send(socket_.native_handle(), unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
    // It is gone, but what it sent before lies in the socket and counts.
    is_deaf_ = true;
    unsent_.clear();
  }
  if (sent > 0) unsent_.erase(0, static_cast<std::size_t>(sent));
  writing_ = !unsent_.empty();
  if (!writing_) {
    unsent_ = std::string();  // gives its memory back: the next answer may be far off
    note_held(false);
    close_when_answered();
    return;
  }
  note_held(false);
  if (closed_) return;
  socket_.async_wait(socket_.wait_write, [self = shared_from_this()](const error_code& error) {
    if (!error && !self->closed_) self->write_some();
  });
}

void Session::on_end_of_input() {
  if (closed_ || input_ended_) return;
  if (decoder_.finish() == ipc::Decoder::Step::refusal) handle_step(ipc::Decoder::Step::refusal);
  end_input();
}

// Nothing more is read; what was asked is answered, for a bounded time.
void Session::end_input() {
  if (closed_ || std::exchange(input_ended_, true)) return;
  close_when_answered();
  if (closed_) return;
  farewell_ = std::make_unique<boost::asio::steady_timer>(socket_.get_executor(), kFarewell);
  farewell_->async_wait([self = shared_from_this()](const error_code& error) {
    if (!error) self->close();
  });
}

// A peer may close its side first and still wait for what it asked, as `nc -N` does.
void Session::close_when_answered() {
  if (input_ended_ && !status_requested_ && statuses_owed_ == 0 && adoptions_owed_ == 0 && unsent_.empty()) {
    close();
  }
}

void Session::drain(std::size_t max_bytes) {
  for (std::size_t read = 0; read < max_bytes && !closed_ && !input_ended_;
       read += context_.read_buffer.size()) {
    const ReadOutcome outcome = read_once(context_.read_buffer.size());
    if (outcome == ReadOutcome::ended) on_end_of_input();
    if (outcome != ReadOutcome::data) return;
  }
}

void Session::close() {
  if (std::exchange(closed_, true)) return;
  context_.logger.debug("connection closed",
                        {{"connection", sender_.id}, {"pid", peer_.pid}, {"uid", peer_.uid}});
  context_.aggregator.close(sender_);
  context_.held.set(sender_.id, 0, false);
  if (turn_) turn_->cancel();
  if (farewell_) farewell_->cancel();
  error_code ignored;
  socket_.close(ignored);
  context_.forget(sender_.id);
}

}  // namespace metricsd::server
