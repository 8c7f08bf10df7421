// metricsctl stop: ends the daemon behind the socket and waits until it is gone. Who it is, is the kernel's
// word.

#include "command.h"
#include "daemon_status.h"

#include <metricsd/ipc/endpoint.h>
#include <metricsd/models/unique_fd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <poll.h>
#include <unistd.h>

// The header of glibc 2.36 forgets to say that these are C.
extern "C" {
#include <sys/pidfd.h>
}

namespace metricsd::tools {

namespace {

constexpr int kGoneTimeoutMs = 10'000;
constexpr std::string_view kDaemonName = "metricsd";

struct StopOptions {
  std::string socket;
};

Result<pid_t> daemon_pid(const std::vector<std::filesystem::path>& paths) {
  const auto connection = ipc::connect_to_daemon(paths, ::geteuid());
  if (!connection) return connection.error();
  const auto peer = ipc::peer_credentials(connection->get());
  if (!peer) return peer.error();
  return peer->pid;
}

// What the process was started from, as the kernel names it; "" where that is not known.
std::string name_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

// False where the time is up.
bool wait_until_gone(int pidfd) {
  pollfd watched{pidfd, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&watched, 1, kGoneTimeoutMs);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

int stop(const StopOptions& options) {
  const auto paths = daemon_paths(options.socket);
  const auto pid = daemon_pid(paths);
  if (!pid && pid.error() == Errc::no_daemon) {
    std::printf("%s: nothing to stop\n", explain(pid.error(), paths).c_str());
    return kDone;
  }
  if (!pid) return fail(explain(pid.error(), paths));

  // A service manager holds the socket of a daemon that does not run. It is not to be stopped.
  if (const std::string name = name_of(*pid); name != kDaemonName) {
    return fail(
        "the socket is held by " + name + " (pid " + std::to_string(*pid) +
        "), which is not metricsd; a service is stopped with systemctl stop metricsd.socket metricsd");
  }
  const std::string who = "metricsd (pid " + std::to_string(*pid) + ")";
  const UniqueFd pidfd(::pidfd_open(*pid, 0));
  if (!pidfd.valid()) return fail(who + ": " + last_system_error().message());
  if (::pidfd_send_signal(pidfd.get(), SIGTERM, nullptr, 0) != 0) {
    return fail(who + ": " + last_system_error().message());
  }
  if (!wait_until_gone(pidfd.get())) {
    return fail(who + " is still there after " + std::to_string(kGoneTimeoutMs / 1000) + " s");
  }
  std::printf("%s stopped\n", who.c_str());
  return kDone;
}

}  // namespace

void add_stop_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<StopOptions>();
  CLI::App* const command = app.add_subcommand("stop", "Stop the daemon and wait until it is gone");
  command->add_option("--socket", options->socket, "The daemon's socket (default: where clients look)");
  command->callback([options, &exit_code] { exit_code = stop(*options); });
}

}  // namespace metricsd::tools
