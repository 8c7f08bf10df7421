#include "config.h"

#include "flag_values.h"
#include "flags.h"
#include "version.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

namespace metricsd::server {
namespace {

// Of the help.
constexpr const char* kFooter =
    "A flag beats its environment variable.\n"
    "The socket: --socket, $METRICSD_SOCKET, $RUNTIME_DIRECTORY/metricsd.sock, /run/metricsd/metricsd.sock "
    "for root,\n"
    "  $XDG_RUNTIME_DIR/metricsd/metricsd.sock, /tmp/metricsd-UID/metricsd.sock: the first that applies.\n"
    "The data directory: --data-dir, $STATE_DIRECTORY, /var/lib/metricsd for root, "
    "$XDG_STATE_HOME/metricsd,\n"
    "  ~/.local/state/metricsd: the first that applies.\n"
    "Exit codes: 0 ended by a signal, 1 failed, 2 wrong usage.\n"
    "Try it: printf '{\"operation_type\":\"upload\",\"duration_ms\":12.5,\"success\":true}\\n' | nc -UN "
    "SOCKET";

LogLevel log_level_of(std::string_view text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "warning") return LogLevel::warning;
  if (text == "error") return LogLevel::error;
  return LogLevel::info;
}

// Every text has passed its check, so that value() holds.
Config to_config(const Flags& flags, const ipc::Environment& environment) {
  Config config;
  config.socket = ipc::listen_path(flags.socket, environment);
  config.socket_mode = parse_mode(flags.socket_mode).value();
  config.socket_group = flags.socket_group;
  config.socket_allow_uids = flags.socket_allow_uids;
  config.socket_allow_groups = flags.socket_allow_groups;
  config.user_connections = parse_quantity(flags.user_connections);
  config.user_bytes_per_second = parse_quantity(flags.user_rate);
  for (const std::string& address : flags.web_listen_addresses) {
    config.web_listen_addresses.push_back(parse_listen_address(address).value());
  }
  config.web_telemetry_path = flags.web_telemetry_path;
  config.metrics_namespace = flags.metrics_namespace;
  config.max_series = flags.max_series;
  config.series_expiry_ns = parse_duration(flags.series_expiry).value();
  config.process_expiry_ns = parse_duration(flags.process_expiry).value();
  config.duration_bounds = parse_bounds(flags.duration_bounds).value();
  config.size_bounds = parse_bounds(flags.size_bounds).value();
  config.ingest_threads = flags.ingest_threads;
  config.data_dir_is_default = flags.data_dir.empty();
  if (config.data_dir_is_default) {
    config.data_dir = default_data_dir(environment);
  } else if (flags.data_dir != "none") {
    config.data_dir = flags.data_dir;
  }
  config.checkpoint_interval_ns = parse_duration(flags.checkpoint_interval).value();
  config.log_level = log_level_of(flags.log_level);
  config.log_format = flags.log_format == "json" ? LogFormat::json : LogFormat::logfmt;
  return config;
}

CommandLine mistake(std::string what) {
  std::replace(what.begin(), what.end(), '\n', ' ');
  return {.config = std::nullopt, .exit_code = 2, .output = "metricsd: " + what + " (see metricsd --help)\n"};
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments,
                               const ipc::Environment& environment) {
  CLI::App app("Counts and times what workloads report on a Unix socket, and shows it to Prometheus.",
               "metricsd");
  app.set_version_flag("--version", "metricsd " + std::string(version()), "Print the version and end");
  app.set_help_flag("-h,--help", "Print this help and end");
  app.footer(kFooter);
  app.get_formatter()->column_width(44);

  Flags flags;
  add_flags(app, flags);

  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return {.config = std::nullopt, .exit_code = 0, .output = app.help()};
  } catch (const CLI::CallForVersion& call) {
    return {.config = std::nullopt, .exit_code = 0, .output = call.what() + std::string("\n")};
  } catch (const CLI::Error& error) {
    return mistake(error.what());
  }
  return {.config = to_config(flags, environment), .exit_code = 0, .output = {}};
}

std::filesystem::path default_data_dir(const ipc::Environment& environment) {
  const auto variable = [&](std::string_view name) { return environment.variable(name).value_or(""); };
  // A list separated by colons (systemd.exec(5)), of which the first is meant.
  const std::string service = variable("STATE_DIRECTORY");
  if (!service.empty()) return service.substr(0, service.find(':'));
  if (environment.uid == 0) return "/var/lib/metricsd";
  // A relative directory is invalid and has to be ignored (XDG Base Directory Specification 0.8).
  const std::filesystem::path state = variable("XDG_STATE_HOME");
  if (state.is_absolute()) return state / "metricsd";
  const std::filesystem::path home = variable("HOME");
  if (home.is_absolute()) return home / ".local/state/metricsd";
  return {};
}

}  // namespace metricsd::server
