// What the daemon and the service manager that started it tell one another: systemd's protocols of
// notification (sd_notify(3)) and of sockets handed over (sd_listen_fds(3)).
//
// They are a datagram and three variables, stable by promise, so they are spoken here rather than linked:
// libsystemd would bring five libraries more into the process for it.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace metricsd::server {

class ServiceManager {
 public:
  using Variable = std::function<std::optional<std::string>(std::string_view)>;

  // From $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID, $LISTEN_FDS and $LISTEN_PID. Without them, or
  // where they are another process's, there is no manager, and nothing of this has an effect.
  ServiceManager(const Variable& variable, pid_t own_pid);

  // The listening sockets that were handed over; they are this process's descriptors from 3 on.
  [[nodiscard]] int listeners() const { return listeners_; }
  // The one of them, once. Errors: endpoint_unusable where there is not exactly one.
  [[nodiscard]] Result<UniqueFd> take_listener();

  // Tells the manager: lines of NAME=VALUE. Never waits; that nobody listens is the manager's affair.
  void notify(std::string_view state) const;

  // How long the manager waits for WATCHDOG=1 before it takes the daemon for stuck.
  [[nodiscard]] std::optional<std::int64_t> watchdog_ns() const { return watchdog_ns_; }

 private:
  std::string notify_socket_;
  std::optional<std::int64_t> watchdog_ns_;
  int listeners_ = 0;
};

}  // namespace metricsd::server
