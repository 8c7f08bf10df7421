// One connection: bytes from its socket to operations and messages, answers back.
//
// It waits for its socket to be readable, reads a bounded amount into the shard's one buffer, decodes all of
// it and waits again behind the others: an idle connection costs no buffer, a firehose no one else's turn.
//
// One whose first line is a hello belongs to the shard of its client: it may go there, with what was read and
// not decoded, before it is answered.
#pragma once

#include "../adoption/segment_intake.h"
#include "../aggregator.h"
#include "../line_budget.h"
#include "../log.h"
#include "../sender.h"
#include "arrival.h"
#include "held_bytes.h"

#include <metricsd/ipc/decoder.h>
#include <metricsd/ipc/endpoint.h>
#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

namespace metricsd::server {

class Session;

// A connection whose hello was read, on its way to the shard that its client belongs to.
struct GreetedConnection {
  Arrival connection;
  ipc::HelloMessage hello;
  std::string rest;  // read and not decoded
};

// What the sessions of one shard share. They and it live on the shard's thread.
struct SessionContext {
  Aggregator& aggregator;
  std::span<char> read_buffer;
  Logger& logger;
  LineBudget& budget;
  HeldBytes& held;
  const Clock& clock;
  // The shard that a client belongs to, where that is another one.
  std::function<std::optional<std::size_t>(uid_t, std::string_view client_id)> other_shard_of;
  // Another shard goes on with a connection: `rest` has been read of it behind the hello.
  std::function<void(std::size_t shard, GreetedConnection)> hand_over;
  const SegmentIntake& segments;
  // Runs a function on the shard's thread.
  std::function<void(std::function<void()>)> post;
  // Closes the session of this id, if there is one.
  std::function<void(Gauge::Owner)> close;
  // The same, because of what is held for it.
  std::function<void(Gauge::Owner)> let_go;
  // Calls send_ack() within limits::kAckNs.
  std::function<void(std::shared_ptr<Session>)> ack_later;
  // Asks for the status document; the answer comes later, on the shard's thread.
  std::function<void(std::function<void(const std::string&)>)> request_status;
  // Something came.
  std::function<void()> note_change;
  // A client waits for what it sent to be durable.
  std::function<void()> hasten_checkpoint;
  // Takes a session that has closed off the shard's list.
  std::function<void(Gauge::Owner)> forget;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  // `context` outlives the session. `socket` is that of the arrival.
  Session(SessionContext& context, boost::asio::local::stream_protocol::socket socket, Arrival arrival);

  void start();
  // Goes on with a connection that was handed over.
  void start(const ipc::HelloMessage& hello, std::string_view rest);
  // For the daemon's end. Reads what lies in the socket now, at most `max_bytes` of it; nothing any more.
  void drain(std::size_t max_bytes);
  void stop_reading() { has_stopped_reading_ = true; }
  void close();
  // Closes one for whom too much is held: a line without end, answers that are not read.
  void let_go();
  // Tells how far the client's streams are, if they have moved.
  void send_ack();

 private:
  enum class ReadOutcome { data, nothing, ended };

  void wait_readable();
  void on_readable();
  void read(std::size_t at_most);
  void read_after(std::int64_t wait_ns, std::size_t bytes);
  ReadOutcome read_once(std::size_t at_most);
  void open();
  void take(std::string_view bytes);
  bool decode_all();
  void bound_passed();
  void note_held(bool begins_anew);
  void handle_step(ipc::Decoder::Step step);
  void handle_message(const ipc::Message& message);
  void handle_hello(const ipc::HelloMessage& hello);
  void turn_away(Errc reason, const ipc::WelcomeMessage& why);
  void hand_over(std::size_t shard, const ipc::HelloMessage& hello);
  void note_progress();
  void note_refusal(Errc reason, std::string_view detail);

  void answer_status();
  void answer_flush();
  void hand_in_segment();
  template <class Answer>
  void reply_with(const Answer& answer);
  void reply(std::string_view line);
  void write_some();
  void end_input();
  void on_end_of_input();
  void close_when_answered();

  SessionContext& context_;
  boost::asio::local::stream_protocol::socket socket_;
  Sender sender_;
  ipc::Decoder decoder_;
  const ipc::PeerCredentials peer_;
  Seat seat_;
  // Came along, and is for the message that comes with it: a hello or adopt, the first line.
  UniqueFd passed_;
  std::shared_ptr<const void> passed_place_;  // while that line has not ended

  std::string unsent_;  // answers the peer has not taken yet
  bool writing_ = false;
  bool is_deaf_ = false;             // the peer takes no answers any more
  std::uint64_t statuses_owed_ = 0;  // requests not answered yet
  bool status_requested_ = false;
  std::size_t adoptions_owed_ = 0;
  bool has_begun_ = false;  // a line has come
  bool ack_owed_ = false;   // ack_later() has been asked
  std::size_t unacked_bytes_ = 0;
  bool input_ended_ = false;
  bool has_stopped_reading_ = false;
  bool closed_ = false;
  std::unique_ptr<boost::asio::steady_timer> turn_;      // only where its user sends more than it may
  std::unique_ptr<boost::asio::steady_timer> farewell_;  // only while the last answers go out
};

}  // namespace metricsd::server
