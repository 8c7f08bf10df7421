// What the daemon says of itself over the socket.
#pragma once

#include <metricsd/models/errors.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::tools {

// The part of /api/v1/status that the commands need, and all of it as text.
struct DaemonStatus {
  bool ready = false;
  std::int64_t pid = 0;
  std::string socket;
  std::vector<std::string> web_addresses;  // `127.0.0.1:8090`
  std::string json;
};

// Asks the first daemon that answers at `paths`, for at most `timeout_ms`. Errors: those of
// ipc::request_status; malformed_json where the answer is none.
[[nodiscard]] Result<DaemonStatus> ask_daemon(const std::vector<std::filesystem::path>& paths,
                                              int timeout_ms);

// Where a client finds the daemon: `told`, or the usual places.
[[nodiscard]] std::vector<std::filesystem::path> daemon_paths(const std::string& told);

// `no daemon answers at A, B`: what commands say where ask_daemon() failed with `error`.
[[nodiscard]] std::string explain(const error_code& error, const std::vector<std::filesystem::path>& paths);

}  // namespace metricsd::tools
