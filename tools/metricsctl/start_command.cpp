// metricsctl start: a daemon in the background, ready when the command returns.

#include "command.h"
#include "daemon_status.h"
#include "detached_process.h"

#include <metricsd/ipc/endpoint_path.h>
#include <metricsd/ipc/socket_directory.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <unistd.h>

namespace metricsd::tools {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kAskInterval{20};
constexpr int kAnswerTimeoutMs = 1000;

struct StartOptions {
  std::string socket;
  std::string log_file;
  unsigned timeout_seconds = 10;
  std::vector<std::string> daemon_flags;
};

// Beside metricsctl itself, else by $PATH.
std::string find_daemon() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const fs::path beside = self.parent_path() / "metricsd";
  return !error && ::access(beside.c_str(), X_OK) == 0 ? beside.string() : "metricsd";
}

// The directory of the log is usually the socket's, and made as the daemon would make it. One of someone else
// is not written to: a link planted there would choose the file.
std::string prepare_log_directory(const fs::path& log) {
  std::string problem;
  const auto made = ipc::make_socket_directory(log.has_parent_path() ? log.parent_path() : ".", &problem);
  return made ? "" : problem;
}

std::string last_line_of(const fs::path& path, std::streamoff from) {
  std::ifstream file(path);
  file.seekg(from);
  std::string last;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

void print_daemon(const char* what, const DaemonStatus& status) {
  std::printf("metricsd %s: pid %lld, socket %s", what, static_cast<long long>(status.pid),
              status.socket.c_str());
  for (const std::string& address : status.web_addresses) std::printf(", http://%s/", address.c_str());
  std::printf("\n");
}

// The status once the daemon says that it is ready; nothing where it ended or the time is up.
std::optional<DaemonStatus> wait_until_ready(DetachedProcess& daemon, const fs::path& socket,
                                             Clock::time_point deadline) {
  while (daemon.runs() && Clock::now() < deadline) {
    const auto status = ask_daemon({socket}, kAnswerTimeoutMs);
    if (status && status->ready && status->pid == daemon.pid()) return *status;
    std::this_thread::sleep_for(kAskInterval);
  }
  return std::nullopt;
}

int start(const StartOptions& options) {
  const fs::path socket = ipc::listen_path(options.socket, ipc::Environment::of_process());
  if (const auto running = ask_daemon({socket}, kAnswerTimeoutMs)) {
    print_daemon("runs already", *running);
    return kDone;
  }
  const fs::path log =
      options.log_file.empty() ? fs::path(socket).replace_extension(".log") : fs::path(options.log_file);
  if (const std::string problem = prepare_log_directory(log); !problem.empty()) return fail(problem);
  std::error_code no_log_yet;
  const auto log_size = fs::file_size(log, no_log_yet);

  std::vector<std::string> command{find_daemon(), "--socket", socket.string()};
  command.insert(command.end(), options.daemon_flags.begin(), options.daemon_flags.end());
  auto daemon = DetachedProcess::start(command, log);
  if (!daemon) return fail("metricsd can not be started: " + daemon.error().message());

  const auto deadline = Clock::now() + std::chrono::seconds(options.timeout_seconds);
  if (const auto status = wait_until_ready(*daemon, socket, deadline)) {
    print_daemon("started", *status);
    return kDone;
  }
  const bool ended = !daemon->runs();
  if (!ended) daemon->end();
  const std::string last = last_line_of(log, no_log_yet ? 0 : static_cast<std::streamoff>(log_size));
  return fail((ended ? "metricsd ended at once" : "metricsd was not ready in time") + std::string(" (") +
              log.string() + "): " + last);
}

}  // namespace

void add_start_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<StartOptions>();
  CLI::App* const command =
      app.add_subcommand("start", "Start the daemon in the background and wait until it is ready");
  command->add_option("--socket", options->socket,
                      "The daemon's socket (default: $METRICSD_SOCKET or the usual place)");
  command->add_option("--log-file", options->log_file,
                      "Where its log is appended (default: beside the socket)");
  command->add_option("--timeout", options->timeout_seconds, "Seconds to wait for it")
      ->check(CLI::Range(1U, 600U))
      ->capture_default_str();
  command->add_option("flags", options->daemon_flags, "Flags for metricsd, after --");
  command->callback([options, &exit_code] { exit_code = start(*options); });
}

}  // namespace metricsd::tools
