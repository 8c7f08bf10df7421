// The daemon's flags, each with a twin in the environment; a flag beats its twin.
#pragma once

#include "listen_address.h"
#include "log.h"

#include <metricsd/ipc/endpoint_path.h>
#include <metricsd/models/family.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/timestamp.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace metricsd::server {

struct Config {
  std::filesystem::path socket;
  mode_t socket_mode = 0660;
  std::string socket_group;
  std::vector<std::string> socket_allow_uids;    // as they were given: names, numbers, "*"
  std::vector<std::string> socket_allow_groups;  // names, numbers
  // Of each user. Nothing: not of the daemon's own and root, and of others what limits.h says.
  std::optional<std::uint64_t> user_connections;
  std::optional<std::uint64_t> user_bytes_per_second;

  std::vector<ListenAddress> web_listen_addresses;
  std::string web_telemetry_path = "/metrics";

  std::string metrics_namespace = "workload";
  std::size_t max_series = limits::kSeriesPerFamily;
  std::int64_t series_expiry_ns = 0;                                // 0: never
  std::int64_t process_expiry_ns = 300 * kNsPerSecond;              // likewise
  std::vector<double> duration_bounds = default_duration_bounds();  // seconds
  std::vector<double> size_bounds = default_size_bounds();          // bytes

  unsigned ingest_threads = 1;
  std::filesystem::path data_dir;  // empty: nothing is kept
  bool data_dir_is_default = false;
  std::int64_t checkpoint_interval_ns = kNsPerSecond;

  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::logfmt;
};

// What the command line came to: a configuration, or what to print and the code to end with.
struct CommandLine {
  std::optional<Config> config;
  int exit_code = 0;   // 0 after --help and --version, 2 for a mistake
  std::string output;  // for stdout where exit_code is 0, else for stderr
};

// `arguments` without the program's name. `environment` serves the default of --socket; the other flags'
// twins are read from the process's environment.
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string>& arguments,
                                             const ipc::Environment& environment);

// Where state is kept if nobody says it: $STATE_DIRECTORY, /var/lib/metricsd for root,
// $XDG_STATE_HOME/metricsd, ~/.local/state/metricsd; empty where none of these is known.
[[nodiscard]] std::filesystem::path default_data_dir(const ipc::Environment& environment);

}  // namespace metricsd::server
