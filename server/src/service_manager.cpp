#include "service_manager.h"

#include <metricsd/models/timestamp.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>

#include <sys/socket.h>
#include <sys/un.h>

namespace metricsd::server {
namespace {

constexpr int kFirstListener = 3;  // SD_LISTEN_FDS_START

std::optional<std::int64_t> number_of(const ServiceManager::Variable& variable, std::string_view name) {
  const auto text = variable(name);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const char* end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number <= 0) return std::nullopt;
  return number;
}

}  // namespace

ServiceManager::ServiceManager(const Variable& variable, pid_t own_pid)
    : notify_socket_(variable("NOTIFY_SOCKET").value_or("")) {
  // Without a pid the watchdog is meant for whoever reads it.
  const auto usec = number_of(variable, "WATCHDOG_USEC");
  if (usec && *usec < std::numeric_limits<std::int64_t>::max() / 1000 &&
      number_of(variable, "WATCHDOG_PID").value_or(own_pid) == own_pid) {
    watchdog_ns_ = *usec * 1000;
  }
  const auto listeners = number_of(variable, "LISTEN_FDS");
  if (listeners && number_of(variable, "LISTEN_PID") == own_pid) {
    listeners_ = static_cast<int>(std::min<std::int64_t>(*listeners, std::numeric_limits<int>::max()));
  }
}

Result<UniqueFd> ServiceManager::take_listener() {
  if (listeners_ != 1) return Errc::endpoint_unusable;
  listeners_ = 0;
  return UniqueFd(kFirstListener);
}

void ServiceManager::notify(std::string_view state) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (notify_socket_.empty() || notify_socket_.size() >= sizeof address.sun_path) return;
  std::ranges::copy(notify_socket_, address.sun_path);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // the abstract name space
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + notify_socket_.size());
  (void)::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address), size);
}

}  // namespace metricsd::server
