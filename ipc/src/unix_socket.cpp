#include "unix_socket.h"

#include <algorithm>
#include <string>

#include <sys/socket.h>

namespace metricsd::ipc {
namespace {

// bind() and connect() differ only in what they do with the address.
using SocketCall = int (*)(int, const sockaddr*, socklen_t);

Result<> call_with_address(SocketCall call, int fd, const std::filesystem::path& path) {
  if (!is_socket_path(path)) return Errc::endpoint_unusable;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(path.native(), address.sun_path);
  if (call(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return last_system_error();
  return {};
}

}  // namespace

// The empty path would have the kernel choose a name, a NUL would cut it.
bool is_socket_path(const std::filesystem::path& path) {
  const std::string& text = path.native();
  return !text.empty() && text.size() <= kLongestSocketPath && text.find('\0') == std::string::npos;
}

Result<UniqueFd> open_unix_socket() {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return last_system_error();
  return fd;
}

Result<> bind_unix_socket(int fd, const std::filesystem::path& path) {
  return call_with_address(::bind, fd, path);
}

Result<UniqueFd> connect_unix_socket(const std::filesystem::path& path) {
  auto fd = open_unix_socket();
  if (!fd) return fd;
  if (const auto connected = call_with_address(::connect, fd->get(), path); !connected)
    return connected.error();
  return fd;
}

}  // namespace metricsd::ipc
