// One HTTP connection: read a request, have it answered, write the response, again.
#pragma once

#include "front.h"
#include "request_reader.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>

namespace metricsd::server::http {

// Lives on the front's thread.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  enum class Phase {
    idle,       // no byte of a request has come
    reading,    // some have
    answering,  // the responder has the request
    writing,    // the client takes the response
    lingering,  // refused: what it still sends is dropped, so that it gets to read why
    closed,
  };

  // `responder` and `clock` outlive the connection.
  Connection(boost::asio::ip::tcp::socket socket, const Responder& responder, const Clock& clock);

  void start();
  void close();

  [[nodiscard]] Phase phase() const { return phase_; }
  // When the phase began, and by when it must end; nanoseconds of the monotonic clock.
  [[nodiscard]] std::int64_t since_ns() const { return since_ns_; }
  [[nodiscard]] std::int64_t deadline_ns() const { return deadline_ns_; }
  // The response held for the client, or nothing.
  [[nodiscard]] const Answer& response() const { return response_; }
  // Whether it is the client that is waited for.
  [[nodiscard]] bool waits_for_client() const {
    return phase_ != Phase::answering && phase_ != Phase::closed;
  }

 private:
  void enter(Phase phase);
  void read_request();
  void read_more();
  void have_answered();
  void write(Answer response, bool keep_alive);
  void on_written();
  void linger();

  boost::asio::ip::tcp::socket socket_;
  const Responder& responder_;
  const Clock& clock_;
  Phase phase_ = Phase::idle;
  std::int64_t since_ns_ = 0;
  std::int64_t deadline_ns_ = 0;
  RequestReader reader_;
  std::string received_;
  Answer response_;
  bool keep_alive_ = true;
  std::array<char, 4096> chunk_{};
};

}  // namespace metricsd::server::http
