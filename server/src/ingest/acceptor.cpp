#include "acceptor.h"

#include <cerrno>
#include <chrono>
#include <numeric>
#include <system_error>
#include <utility>

#include <sys/socket.h>

namespace metricsd::server {
namespace {

// Long enough that nothing spins, short enough that nobody notices.
constexpr std::chrono::milliseconds kPause{50};
// Connections taken in one turn, before signals and stop() have theirs.
constexpr int kTurn = 256;

}  // namespace

Acceptor::Acceptor(boost::asio::io_context& io, int listener, std::vector<std::unique_ptr<Shard>>& shards,
                   AcceptorOptions options, const Clock& clock, Logger logger)
    : listener_(io, listener),
      timer_(io),
      shards_(shards),
      options_(std::move(options)),
      clock_(clock),
      logger_(std::move(logger)) {}

Acceptor::~Acceptor() {
  if (listener_.is_open()) listener_.release();
}

void Acceptor::start() {
  wait_ready();
}

void Acceptor::stop() {
  timer_.cancel();
  accept_waiting(SOMAXCONN);
  listener_.release();
}

void Acceptor::wait_ready() {
  listener_.async_wait(listener_.wait_read, [this](const error_code& error) {
    if (error) return;
    if (accept_waiting(kTurn) == Pause::until_ready) {
      wait_ready();
    } else {
      wait_a_while();
    }
  });
}

void Acceptor::wait_a_while() {
  timer_.expires_after(kPause);
  timer_.async_wait([this](const error_code& error) {
    if (!error) wait_ready();
  });
}

Acceptor::Pause Acceptor::accept_waiting(int at_most) {
  const Pause pause = accept_up_to(at_most);
  // They are counted with what shards refuse: the first one has them.
  if (!refused_.empty()) shards_.front()->count_refused(std::exchange(refused_, {}));
  return pause;
}

Acceptor::Pause Acceptor::accept_up_to(int at_most) {
  for (int i = 0; i < at_most; ++i) {
    if (connections() >= options_.max_connections) {
      note("connections wait: as many are open as may be", 0);
      return Pause::for_a_while;
    }
    const int fd = ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return on_error(errno);
    admit(UniqueFd(fd));
  }
  return Pause::until_ready;
}

void Acceptor::admit(UniqueFd socket) {
  const auto peer = ipc::peer_credentials(socket.get());
  if (!peer || !options_.allowed.allows(*peer, socket.get())) {
    refuse(peer ? *peer : ipc::PeerCredentials{}, Errc::user_not_allowed);
    return;
  }
  auto seat = options_.users.enter(peer->uid, clock_.monotonic_ns());
  if (!seat) {
    refuse(*peer, Errc::too_many_connections);
    return;
  }
  ++accepted_;
  shards_[accepted_ % shards_.size()]->adopt(
      {.socket = std::move(socket), .id = accepted_, .peer = *peer, .seat = *std::move(seat)});
}

void Acceptor::refuse(const ipc::PeerCredentials& peer, Errc reason) {
  ++refused_[reason];
  const std::string_view name = metricsd::reason(reason);
  const auto count = budget_.spend(name, clock_.monotonic_ns());
  if (!count) return;
  logger_.warning("connection refused",
                  {{"reason", name}, {"uid", peer.uid}, {"pid", peer.pid}, {"count", *count}});
}

Acceptor::Pause Acceptor::on_error(int error) {
  if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR) return Pause::until_ready;
  note("accept failed", error);
  return Pause::for_a_while;
}

void Acceptor::note(std::string_view event, int error) {
  const auto count = budget_.spend(event, clock_.monotonic_ns());
  if (!count) return;
  logger_.warning(event, {{"error", error == 0 ? "" : std::generic_category().message(error)},
                          {"count", *count},
                          {"connections", connections()}});
}

std::size_t Acceptor::connections() const {
  return std::accumulate(shards_.begin(), shards_.end(), std::size_t{0},
                         [](std::size_t sum, const auto& shard) { return sum + shard->connections(); });
}

}  // namespace metricsd::server
