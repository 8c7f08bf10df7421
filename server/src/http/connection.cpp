#include "connection.h"

#include "router.h"
#include "timeouts.h"

#include <limits>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/write.hpp>

namespace metricsd::server::http {
namespace {

namespace asio = boost::asio;

// How long each phase may last.
std::int64_t allowance_ns(Connection::Phase phase) {
  switch (phase) {
    case Connection::Phase::idle: return kIdleSeconds * kNsPerSecond;
    case Connection::Phase::reading: return kRequestSeconds * kNsPerSecond;
    case Connection::Phase::writing: return kResponseSeconds * kNsPerSecond;
    case Connection::Phase::lingering: return kLingerSeconds * kNsPerSecond;
    case Connection::Phase::answering:
    case Connection::Phase::closed: break;
  }
  return std::numeric_limits<std::int64_t>::max() / 2;  // the responder's own affair
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, const Responder& responder, const Clock& clock)
    : socket_(std::move(socket)), responder_(responder), clock_(clock) {}

void Connection::start() {
  // A new client owes its first request: it has no more time for it than for any other.
  enter(Phase::reading);
  read_more();
}

void Connection::close() {
  phase_ = Phase::closed;
  error_code ignored;
  socket_.close(ignored);
}

void Connection::enter(Phase phase) {
  phase_ = phase;
  since_ns_ = clock_.monotonic_ns();
  deadline_ns_ = since_ns_ + allowance_ns(phase);
}

void Connection::read_request() {
  switch (reader_.read(received_)) {
    case RequestReader::Outcome::need_more: read_more(); return;
    case RequestReader::Outcome::refused:
      write(std::make_shared<const std::string>(refusal_response(reader_.status())), false);
      return;
    case RequestReader::Outcome::request: have_answered(); return;
  }
}

void Connection::read_more() {
  socket_.async_read_some(asio::buffer(chunk_),
                          [self = shared_from_this()](const error_code& error, std::size_t size) {
                            if (self->phase_ == Phase::closed) return;
                            if (error) {
                              self->close();
                              return;
                            }
                            if (self->phase_ == Phase::idle) self->enter(Phase::reading);
                            self->received_.append(self->chunk_.data(), size);
                            self->read_request();
                          });
}

void Connection::have_answered() {
  enter(Phase::answering);
  received_.erase(0, reader_.consumed());
  const Request request = reader_.request();
  responder_(request, [self = shared_from_this(), keep_alive = request.keep_alive](const Answer& response) {
    asio::dispatch(self->socket_.get_executor(), [self, keep_alive, response] {
      if (self->phase_ != Phase::closed) self->write(response, keep_alive);
    });
  });
}

void Connection::write(Answer response, bool keep_alive) {
  const bool refused = phase_ != Phase::answering;
  response_ = std::move(response);
  keep_alive_ = keep_alive;
  enter(Phase::writing);
  asio::async_write(socket_, asio::buffer(*response_),
                    [self = shared_from_this(), refused](const error_code& error, std::size_t) {
                      if (self->phase_ == Phase::closed) return;
                      if (error) {
                        self->close();
                      } else if (refused) {
                        self->linger();
                      } else {
                        self->on_written();
                      }
                    });
}

void Connection::on_written() {
  response_.reset();
  if (!keep_alive_) {
    close();
    return;
  }
  enter(received_.empty() ? Phase::idle : Phase::reading);
  read_request();
}

// Closing with bytes unread would reset the connection, and the client might never see the answer.
void Connection::linger() {
  if (phase_ != Phase::lingering) {
    enter(Phase::lingering);
    error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }
  socket_.async_read_some(asio::buffer(chunk_),
                          [self = shared_from_this()](const error_code& error, std::size_t) {
                            if (self->phase_ == Phase::closed) return;
                            if (error) {
                              self->close();
                            } else {
                              self->linger();
                            }
                          });
}

}  // namespace metricsd::server::http
