// One connection: bytes from its socket to operations and messages, answers back.
//
// It waits for its socket to be readable, reads a bounded amount into the shard's one buffer, decodes all of
// it and waits again behind the others: an idle connection costs no buffer, a firehose no one else's turn.
#pragma once

#include "../aggregator.h"
#include "../line_budget.h"
#include "../log.h"
#include "../sender.h"

#include <metricsd/ipc/decoder.h>
#include <metricsd/ipc/endpoint.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

namespace metricsd::server {

// What the sessions of one shard share. They and it live on the shard's thread.
struct SessionContext {
  Aggregator& aggregator;
  std::span<char> read_buffer;
  Logger& logger;
  LineBudget& budget;
  const Clock& clock;
  // Asks for the status document; the answer comes later, on the shard's thread.
  std::function<void(std::function<void(const std::string&)>)> request_status;
  // Takes a session that has closed off the shard's list.
  std::function<void(Gauge::Owner)> forget;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  // `context` outlives the session. `socket` is non-blocking.
  Session(SessionContext& context, boost::asio::local::stream_protocol::socket socket, Gauge::Owner id);

  void start();
  // Reads what lies in the socket now, at most `max_bytes` of it. For the daemon's end.
  void drain(std::size_t max_bytes);
  void close();

 private:
  enum class ReadOutcome { data, nothing, ended };

  void wait_readable();
  void on_readable();
  ReadOutcome read_once();
  void decode_all();
  void handle_message(const ipc::Message& message);
  void note_refusal(Errc reason, std::string_view detail);

  void answer_status();
  void reply(std::string_view line);
  void write_some();
  void on_end_of_input();
  void close_when_answered();

  SessionContext& context_;
  boost::asio::local::stream_protocol::socket socket_;
  Sender sender_;
  ipc::Decoder decoder_;
  ipc::PeerCredentials peer_;

  std::string unsent_;  // answers the peer has not taken yet
  bool writing_ = false;
  std::uint64_t statuses_owed_ = 0;  // requests not answered yet
  bool status_requested_ = false;
  bool input_ended_ = false;
  bool closed_ = false;
  std::unique_ptr<boost::asio::steady_timer> farewell_;  // only while the last answers go out
};

}  // namespace metricsd::server
