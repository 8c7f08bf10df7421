#include "front.h"

#include "../line_budget.h"
#include "connection.h"

#include <metricsd/models/limits.h>
#include <metricsd/models/unique_fd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <list>
#include <numeric>
#include <set>
#include <string_view>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/socket.h>

namespace metricsd::server::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// After an accept that failed: long enough that nothing spins.
constexpr std::chrono::milliseconds kPause{50};
// Clients taken in one turn, before those that are there have theirs.
constexpr int kTurn = 64;
// How exactly deadlines are kept.
constexpr std::chrono::milliseconds kSweep{500};

struct Listener {
  Listener(asio::io_context& io, const tcp& given) : acceptor(io), protocol(given), pause(io) {}

  tcp::acceptor acceptor;
  tcp protocol;
  asio::steady_timer pause;
};

error_code open(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) acceptor.native_non_blocking(true, error);
  return error;
}

// Of a name's addresses some may be none of this machine's: `localhost` is ::1 too, where there is no IPv6.
bool is_foreign(const error_code& error) {
  return error == asio::error::address_family_not_supported ||
         error == boost::system::errc::address_not_available;
}

}  // namespace

class Front::State {
 public:
  State(FrontOptions options, Responder responder, const Clock& clock, Logger logger)
      : options_(options),
        responder_(std::move(responder)),
        clock_(clock),
        logger_(std::move(logger)),
        sweep_timer_(io_) {}

  Result<std::vector<ListenAddress>> listen(const ListenAddress& address) {
    error_code error;
    tcp::resolver resolver(io_);
    const auto endpoints =
        resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::passive, error);
    if (error) return error;
    std::vector<ListenAddress> bound;
    for (const auto& candidate : endpoints) {
      const auto one = listen_at(candidate.endpoint());
      if (one) {
        bound.push_back(*one);
      } else if (is_foreign(one.error())) {
        error = one.error();
      } else {
        return one.error();
      }
    }
    if (bound.empty()) return error;
    return bound;
  }

  void start() {
    for (const auto& listener : listeners_) accept(*listener);
    sweep_later();
    thread_ = std::thread([this] { io_.run(); });
  }

  void probe(std::function<void()> answer) { asio::post(io_, std::move(answer)); }

  void stop() {
    if (!thread_.joinable()) return;
    io_.stop();
    thread_.join();
  }

 private:
  Result<ListenAddress> listen_at(const tcp::endpoint& endpoint) {
    auto listener = std::make_unique<Listener>(io_, endpoint.protocol());
    if (const error_code failed = open(listener->acceptor, endpoint)) return failed;
    error_code error;
    const tcp::endpoint local = listener->acceptor.local_endpoint(error);
    if (error) return error;
    listeners_.push_back(std::move(listener));
    return ListenAddress{local.address().to_string(), local.port()};
  }

  // Not async_accept(): it keeps some errors to itself, and then waits for another client although one waits
  // already.
  void accept(Listener& listener) {
    listener.acceptor.async_wait(tcp::acceptor::wait_read, [this, &listener](const error_code& cancelled) {
      if (cancelled) return;
      const int error = accept_waiting(listener);
      if (error == 0) {
        accept(listener);
      } else {
        pause(listener, error_code(error, boost::system::system_category()));
      }
    });
  }

  // 0: it may go on as soon as another client is there.
  int accept_waiting(Listener& listener) {
    for (int i = 0; i < kTurn; ++i) {
      UniqueFd fd(
          ::accept4(listener.acceptor.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd.valid()) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : errno;
      tcp::socket socket(io_);
      error_code error;
      socket.assign(listener.protocol, fd.get(), error);
      if (error) return error.value();
      (void)fd.release();
      admit(std::move(socket));
    }
    return 0;
  }

  void pause(Listener& listener, const error_code& error) {
    if (const auto count = budget_.spend("accept", clock_.monotonic_ns())) {
      logger_.warning("accept failed on HTTP", {{"error", error.message()}, {"count", *count}});
    }
    listener.pause.expires_after(kPause);
    listener.pause.async_wait([this, &listener](const error_code& cancelled) {
      if (!cancelled) accept(listener);
    });
  }

  void admit(tcp::socket socket) {
    forget_closed();
    if (connections_.size() >= options_.max_connections) make_room();
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    connections_.push_back(std::make_shared<Connection>(std::move(socket), responder_, clock_));
    connections_.back()->start();
  }

  // The client that has been waited for longest goes; where none is waited for, the one that has waited
  // longest: it may come again, and who comes now would not have been heard at all.
  void make_room() {
    const auto goes_before = [](const auto& a, const auto& b) {
      return std::pair(!a->waits_for_client(), a->since_ns()) <
             std::pair(!b->waits_for_client(), b->since_ns());
    };
    const auto first = std::min_element(connections_.begin(), connections_.end(), goes_before);
    (*first)->close();
    connections_.erase(first);
  }

  void sweep_later() {
    sweep_timer_.expires_after(kSweep);
    sweep_timer_.async_wait([this](const error_code& error) {
      if (error) return;
      sweep();
      sweep_later();
    });
  }

  void sweep() {
    const std::int64_t now_ns = clock_.monotonic_ns();
    for (const auto& connection : connections_) {
      if (connection->deadline_ns() <= now_ns) connection->close();
    }
    forget_closed();
    while (unsent_bytes() > limits::kHttpUnsent) close_slowest_reader();
  }

  // Held for clients that have not read them; what several share counts once.
  [[nodiscard]] std::size_t unsent_bytes() const {
    std::set<Answer> held;
    for (const auto& connection : connections_) {
      if (connection->phase() == Connection::Phase::writing) held.insert(connection->response());
    }
    return std::accumulate(held.begin(), held.end(), std::size_t{0},
                           [](std::size_t sum, const Answer& answer) { return sum + answer->size(); });
  }

  // There is a writing connection.
  void close_slowest_reader() {
    const auto goes_before = [](const auto& a, const auto& b) {
      const bool a_writes = a->phase() == Connection::Phase::writing;
      const bool b_writes = b->phase() == Connection::Phase::writing;
      return a_writes != b_writes ? a_writes : a->since_ns() < b->since_ns();
    };
    const auto slowest = std::min_element(connections_.begin(), connections_.end(), goes_before);
    (*slowest)->close();
    connections_.erase(slowest);
  }

  void forget_closed() {
    connections_.remove_if([](const auto& c) { return c->phase() == Connection::Phase::closed; });
  }

  const FrontOptions options_;
  const Responder responder_;
  const Clock& clock_;
  Logger logger_;
  LineBudget budget_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  asio::steady_timer sweep_timer_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::list<std::shared_ptr<Connection>> connections_;
  std::thread thread_;
};

Front::Front(FrontOptions options, Responder responder, const Clock& clock, Logger logger)
    : state_(std::make_unique<State>(options, std::move(responder), clock, std::move(logger))) {}

Front::~Front() {
  stop();
}

Result<std::vector<ListenAddress>> Front::listen(const ListenAddress& address) {
  return state_->listen(address);
}
void Front::start() {
  state_->start();
}
void Front::probe(std::function<void()> answer) {
  state_->probe(std::move(answer));
}
void Front::stop() {
  state_->stop();
}

bool is_loopback(const ListenAddress& address) {
  error_code error;
  const auto number = asio::ip::make_address(address.host, error);
  return !error && number.is_loopback();
}

}  // namespace metricsd::server::http
