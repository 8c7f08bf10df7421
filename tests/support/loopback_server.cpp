#include <metricsd/support/loopback_server.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace metricsd::support {
namespace {

UniqueFd listen_somewhere(std::uint16_t& port) {
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener.get(), any, size) != 0 || ::listen(listener.get(), 16) != 0 ||
      ::getsockname(listener.get(), any, &size) != 0) {
    throw std::runtime_error("no port of the loopback interface");
  }
  port = ntohs(address.sin_port);
  return listener;
}

// Whether `fd` became ready before `stop` did.
bool wait_for(int fd, short events, int stop) {
  std::array<pollfd, 2> waited{{{fd, events, 0}, {stop, POLLIN, 0}}};
  return ::poll(waited.data(), waited.size(), -1) > 0 && waited[1].revents == 0;
}

}  // namespace

bool LoopbackPeer::wait_readable() const {
  return wait_for(socket_.get(), POLLIN, stop_);
}

std::string LoopbackPeer::read(std::size_t size) const {
  std::string bytes(size, '\0');
  const ssize_t count = wait_readable() ? ::recv(socket_.get(), bytes.data(), size, 0) : 0;
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

std::string LoopbackPeer::read_all_of(std::size_t size) const {
  std::string bytes;
  while (bytes.size() < size) {
    const std::string more = read(size - bytes.size());
    if (more.empty()) break;
    bytes += more;
  }
  return bytes;
}

bool LoopbackPeer::write(std::string_view bytes) const {
  while (!bytes.empty()) {
    if (!wait_for(socket_.get(), POLLOUT, stop_)) return false;
    const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN) return false;
    bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
  }
  return true;
}

void LoopbackPeer::wait_until_gone() const {
  while (!read(4096).empty()) {
  }
}

std::string LoopbackPeer::read_request() const {
  constexpr std::string_view kLength = "Content-Length: ";
  std::string request;
  std::size_t wanted = 1;
  while (request.size() < wanted) {
    const std::string more = read(4096);
    if (more.empty()) break;
    request += more;
    const auto body = request.find("\r\n\r\n");
    const auto length = request.find(kLength);
    wanted = request.size() + 1;
    if (body == std::string::npos) continue;
    wanted = body + 4;
    if (length < body) wanted += std::strtoul(request.c_str() + length + kLength.size(), nullptr, 10);
  }
  return request;
}

LoopbackServer::LoopbackServer(Serve serve)
    : serve_(std::move(serve)),
      listener_(listen_somewhere(port_)),
      stop_(::eventfd(0, EFD_CLOEXEC)),
      thread_([this] { run(); }) {}

LoopbackServer::~LoopbackServer() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

void LoopbackServer::run() {
  while (wait_for(listener_.get(), POLLIN, stop_.get())) {
    UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket.valid()) continue;
    ++connections_;
    serve_(LoopbackPeer(std::move(socket), stop_.get()));
  }
}

std::uint16_t unused_port() {
  std::uint16_t port = 0;
  const UniqueFd closed = listen_somewhere(port);
  return port;
}

}  // namespace metricsd::support
