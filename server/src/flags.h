// The table of flags: their names, their twins in the environment, their help, their defaults, and what a
// value must be like.
#pragma once

#include <metricsd/models/limits.h>

#include <cstddef>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace metricsd::server {

// The flags as they were given. Every text has passed its check once parsing is over.
struct Flags {
  // With the defaults.
  Flags();

  std::string socket;
  std::string socket_mode = "0660";
  std::string socket_group;
  std::vector<std::string> socket_allow_uids;
  std::vector<std::string> socket_allow_groups;
  std::string user_connections;
  std::string user_rate;
  std::vector<std::string> web_listen_addresses{"127.0.0.1:8090"};
  std::string web_telemetry_path = "/metrics";
  std::string metrics_namespace = "workload";
  std::size_t max_series = limits::kSeriesPerFamily;
  std::string series_expiry = "off";
  std::string process_expiry = "5m";
  std::string duration_bounds;
  std::string size_bounds;
  unsigned ingest_threads = 1;
  std::string data_dir;
  std::string checkpoint_interval = "1s";
  std::string log_level = "info";
  std::string log_format = "logfmt";
};

// Has `app` read them into `flags`, which outlives it.
void add_flags(CLI::App& app, Flags& flags);

}  // namespace metricsd::server
