#include "connection.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace metricsd::load {

namespace {

// A peer that takes longer for what stands in one socket's buffers is given up.
constexpr timeval kPatience{.tv_sec = 20, .tv_usec = 0};

[[noreturn]] void fail(const char* act) {
  const int reason =
      errno == EAGAIN ? ETIMEDOUT : errno;  // of a blocking socket with SO_RCVTIMEO, SO_SNDTIMEO
  throw std::system_error(reason, std::generic_category(), act);
}

template <class Option>
void set(const UniqueFd& fd, int level, int name, const Option& value) {
  if (::setsockopt(fd.get(), level, name, &value, sizeof value) != 0) fail("setsockopt");
}

UniqueFd connected(int family, const sockaddr* address, socklen_t length) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) fail("socket");
  if (::connect(fd.get(), address, length) != 0) fail("connect");
  set(fd, SOL_SOCKET, SO_RCVTIMEO, kPatience);
  set(fd, SOL_SOCKET, SO_SNDTIMEO, kPatience);
  return fd;
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw std::system_error(ENAMETOOLONG, std::generic_category(), path);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

UniqueFd connect_unix(const std::string& path) {
  const sockaddr_un address = unix_address(path);
  return connected(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

UniqueFd connect_tcp(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  UniqueFd fd = connected(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);  // a write is a write, as on a Unix socket
  return fd;
}

}  // namespace

Connection Connection::open(const Address& address) {
  return Connection(address.unix_path.empty() ? connect_tcp(address.tcp_port)
                                              : connect_unix(address.unix_path));
}

void Connection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("send");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::size_t Connection::read(std::span<char> buffer) {
  while (true) {
    const ssize_t taken = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (taken >= 0) return static_cast<std::size_t>(taken);
    if (errno != EINTR) fail("the peer's answer");
  }
}

std::size_t Connection::read_waiting(std::span<char> buffer) {
  const ssize_t taken = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (taken < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) fail("the peer's answer");
  return taken < 0 ? 0 : static_cast<std::size_t>(taken);
}

Listener::Listener(const std::string& unix_path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (!fd_.valid()) fail("socket");
  const sockaddr_un address = unix_address(unix_path);
  if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind");
  if (::listen(fd_.get(), SOMAXCONN) != 0) fail("listen");
}

Connection Listener::accept() const {
  UniqueFd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd.valid()) fail("accept");
  return Connection(std::move(fd));
}

void Connection::finish() {
  if (::shutdown(fd_.get(), SHUT_WR) != 0) fail("shutdown");
  std::array<char, 4096> ignored;
  while (read(ignored) > 0) {
  }
}

}  // namespace metricsd::load
