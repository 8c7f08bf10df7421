#include "unix_socket.h"

#include <metricsd/ipc/decoder.h>
#include <metricsd/ipc/encoder.h>
#include <metricsd/ipc/endpoint.h>
#include <metricsd/ipc/line_splitter.h>
#include <metricsd/ipc/passed_descriptor.h>
#include <metricsd/ipc/socket_directory.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

namespace metricsd::ipc {
namespace {

bool is_trusted_daemon(int fd, uid_t own_uid) {
  const auto peer = peer_credentials(fd);
  return peer && (peer->uid == own_uid || peer->uid == 0 || owns_system_directory(peer->uid));
}

// A moment after which nothing is waited for.
class Deadline {
 public:
  explicit Deadline(int timeout_ms) : at_(Clock::now() + std::chrono::milliseconds(timeout_ms)) {}

  // Until `fd` is ready for `events`. Errors: timed_out, the system's.
  [[nodiscard]] Result<> wait_for(int fd, short events) const {
    while (true) {
      pollfd entry{fd, events, 0};
      const int ready = ::poll(&entry, 1, remaining_ms());
      if (ready > 0) return {};
      if (ready == 0) return Errc::timed_out;
      if (errno != EINTR) return last_system_error();
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] int remaining_ms() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - Clock::now());
    return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
  }

  Clock::time_point at_;
};

bool must_wait() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

Result<> send_all(int fd, std::string_view bytes, const Deadline& deadline) {
  while (!bytes.empty()) {
    if (const auto ready = deadline.wait_for(fd, POLLOUT); !ready) return ready;
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (!must_wait()) {
      return last_system_error();
    }
  }
  return {};
}

Result<std::string> receive_line(int fd, const Deadline& deadline) {
  LineSplitter lines(limits::kStatusReply);
  std::vector<char> buffer(limits::kReadChunk);
  while (true) {
    if (const auto ready = deadline.wait_for(fd, POLLIN); !ready) return ready.error();
    const ssize_t received = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (received == 0) return Errc::half_line;
    if (received < 0 && must_wait()) continue;
    if (received < 0) return last_system_error();
    lines.feed({buffer.data(), static_cast<std::size_t>(received)});
    switch (lines.next()) {
      case LineSplitter::Step::line: return std::string(lines.line());
      case LineSplitter::Step::too_long: return Errc::line_too_long;
      case LineSplitter::Step::need_more: break;
    }
  }
}

}  // namespace

Result<PeerCredentials> peer_credentials(int fd) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return last_system_error();
  return PeerCredentials{credentials.pid, credentials.uid, credentials.gid};
}

Result<std::vector<gid_t>> peer_groups(int fd) {
  std::vector<gid_t> groups(64);
  while (true) {
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    const int error = ::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0 ? 0 : errno;
    groups.resize(size / sizeof(gid_t));  // where they do not fit, how many there are
    if (error == 0) return groups;
    if (error != ERANGE) return error_code(error, boost::system::system_category());
  }
}

Result<UniqueFd> connect_to_daemon(std::span<const std::filesystem::path> paths, uid_t own_uid) {
  Errc reason = Errc::no_daemon;
  for (const std::filesystem::path& path : paths) {
    auto connection = connect_unix_socket(path);
    if (!connection) continue;
    if (is_trusted_daemon(connection->get(), own_uid)) return connection;
    reason = Errc::endpoint_untrusted;
  }
  return reason;
}

Result<std::string> request_status(std::span<const std::filesystem::path> paths, uid_t own_uid,
                                   int timeout_ms) {
  const Deadline deadline(timeout_ms);
  const auto connection = connect_to_daemon(paths, own_uid);
  if (!connection) return connection.error();
  std::string request;
  encode(request, StatusRequest{});
  if (const auto sent = send_all(connection->get(), request, deadline); !sent) return sent.error();
  return receive_line(connection->get(), deadline);
}

Result<AdoptedMessage> hand_in_segment(std::span<const std::filesystem::path> paths, uid_t own_uid,
                                       int segment, int timeout_ms) {
  const Deadline deadline(timeout_ms);
  const auto connection = connect_to_daemon(paths, own_uid);
  if (!connection) return connection.error();
  std::string request;
  encode(request, AdoptMessage{});
  const iovec part{request.data(), request.size()};
  // The socket is new: it takes a line at once.
  if (send_parts(connection->get(), {&part, 1}, segment) < 0) return last_system_error();
  const auto answer = receive_line(connection->get(), deadline);
  if (!answer) return answer.error();
  Decoder decoder;
  const std::string line = *answer + "\n";
  decoder.feed(line);
  if (decoder.next() != Decoder::Step::message) return Errc::malformed_json;
  const auto* adopted = std::get_if<AdoptedMessage>(&decoder.message());
  if (adopted == nullptr) return Errc::malformed_json;
  return *adopted;
}

}  // namespace metricsd::ipc
