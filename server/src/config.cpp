#include "config.h"

#include "version.h"

#include <metricsd/models/labels.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

namespace metricsd::server {
namespace {

constexpr unsigned kMaxIngestThreads = 256;
constexpr std::size_t kMaxSeries = 10'000'000;

// The flags as they were given. Every text has passed its check once parsing is over.
struct Flags {
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
  std::string duration_bounds;
  std::string size_bounds;
  unsigned ingest_threads = 1;
  std::string data_dir;
  std::string checkpoint_interval = "1s";
  std::string log_level = "info";
  std::string log_format = "logfmt";
};

// Without exponents, as people write them.
std::string join_bounds(const std::vector<double>& bounds) {
  std::string text;
  for (const double bound : bounds) {
    std::array<char, 64> digits{};
    const auto written =
        std::to_chars(digits.data(), digits.data() + digits.size(), bound, std::chars_format::fixed);
    if (!text.empty()) text += ',';
    text.append(digits.data(), written.ptr);
  }
  return text;
}

std::optional<mode_t> parse_mode(std::string_view text) {
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error != std::errc{} || end != text.data() + text.size() || mode > 0777) return std::nullopt;
  return static_cast<mode_t>(mode);
}

// What http/routes.cpp serves beside the telemetry path, which comes first there and would hide them.
constexpr std::string_view kFixedRoutes[] = {
    "/", "/-/healthy", "/-/ready", "/api/v1/status", "/api/v1/summary", "/api/v1/runs"};

// A path that is one route and nothing else: no query, no pattern, no byte that a URL would have to escape,
// no `//` in front that a client would take for a host.
bool is_telemetry_path(std::string_view path) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '-' || c == '_' || c == '.';
  };
  return path.starts_with('/') && !path.starts_with("//") && std::all_of(path.begin(), path.end(), allowed) &&
         std::find(std::begin(kFixedRoutes), std::end(kFixedRoutes), path) == std::end(kFixedRoutes);
}

// Names of the daemon's own begin with metricsd_ and process_: the workload's must not.
bool is_namespace(std::string_view text) {
  const std::string first = std::string(text) + '_';
  return is_metric_name(text) && text.find(':') == std::string_view::npos &&
         text.size() <= limits::kTypeName && !first.starts_with("metricsd_") &&
         !first.starts_with("process_");
}

// A check for CLI11: what it says stands behind the flag's name in the error.
template <class Predicate>
auto must(Predicate predicate, std::string complaint) {
  return [predicate, complaint = std::move(complaint)](const std::string& text) {
    return predicate(text) ? std::string() : complaint;
  };
}

void add_socket_flags(CLI::App& app, Flags& flags) {
  app.add_option("--socket", flags.socket, "Listen for senders here; where by default, see below")
      ->type_name("PATH");
  app.add_option("--socket.mode", flags.socket_mode, "Permissions of the socket, octal")
      ->type_name("MODE")
      ->capture_default_str()
      ->envname("METRICSD_SOCKET_MODE")
      ->check(must([](const std::string& text) { return parse_mode(text).has_value(); },
                   "must be octal permissions such as 0660"));
  app.add_option("--socket.group", flags.socket_group, "Group of the socket, a name or a number")
      ->type_name("GROUP")
      ->envname("METRICSD_SOCKET_GROUP");
  app.add_option(
         "--socket.allow-uid", flags.socket_allow_uids,
         "A user who may send, a name or a number, or * for everyone; repeatable. The daemon's own and "
         "root always may; without this flag and the next, the socket's group may too")
      ->type_name("USER")
      ->envname("METRICSD_SOCKET_ALLOW_UID")
      ->delimiter(',')
      ->take_all();
  app.add_option("--socket.allow-group", flags.socket_allow_groups,
                 "A group whose members may send, a name or a number; repeatable")
      ->type_name("GROUP")
      ->envname("METRICSD_SOCKET_ALLOW_GROUP")
      ->delimiter(',')
      ->take_all();
}

void add_user_flags(CLI::App& app, Flags& flags) {
  app.add_option(
         "--socket.max-user-connections", flags.user_connections,
         "Connections of one user, or off; more are refused. By default three quarters of all, and off "
         "for the daemon's own user and root")
      ->type_name("N")
      ->envname("METRICSD_SOCKET_MAX_USER_CONNECTIONS")
      ->check(must([](const std::string& text) { return parse_quantity(text).has_value(); },
                   "must be off or a number above 0"));
  app.add_option(
         "--socket.max-user-rate", flags.user_rate,
         "Bytes a second read from one user, or off; who sends more waits. By default 256MiB, and off for "
         "the daemon's own user and root")
      ->type_name("BYTES")
      ->envname("METRICSD_SOCKET_MAX_USER_RATE")
      ->check(must(
          [](const std::string& text) {
            const auto rate = parse_quantity(text);
            return rate && *rate >= limits::kPlainLine;
          },
          "must be off, or at least 64KiB: a number that may have one of the units KiB, MiB, GiB"));
}

void add_web_flags(CLI::App& app, Flags& flags) {
  app.add_option("--web.listen-address", flags.web_listen_addresses,
                 "Serve HTTP here; repeatable. Port 0 takes a free one and logs it")
      ->type_name("HOST:PORT")
      ->capture_default_str()
      ->envname("METRICSD_WEB_LISTEN_ADDRESS")
      ->delimiter(',')
      ->take_all()
      ->check(must([](const std::string& text) { return parse_listen_address(text).has_value(); },
                   "must be HOST:PORT, [IPV6]:PORT or :PORT"));
  app.add_option("--web.telemetry-path", flags.web_telemetry_path, "The route that Prometheus scrapes")
      ->type_name("PATH")
      ->capture_default_str()
      ->envname("METRICSD_WEB_TELEMETRY_PATH")
      ->check(
          must(is_telemetry_path,
               "must begin with one / and have only letters, digits and any of /-_. behind it, and not be "
               "another route"));
}

void add_metrics_flags(CLI::App& app, Flags& flags) {
  const auto are_bounds = [](const std::string& text) { return parse_bounds(text).has_value(); };
  const std::string bounds_complaint = "must be ascending numbers with commas between them";

  app.add_option("--metrics.namespace", flags.metrics_namespace,
                 "The first word of the workload's metric names")
      ->type_name("NAME")
      ->capture_default_str()
      ->envname("METRICSD_METRICS_NAMESPACE")
      ->check(
          must(is_namespace,
               "must be [a-zA-Z_][a-zA-Z0-9_]*, at most 64 long, and not metricsd, process, metricsd_... or "
               "process_..."));
  app.add_option("--metrics.max-series", flags.max_series,
                 "Series of one family; more fold into one named __overflow__")
      ->type_name("N")
      ->capture_default_str()
      ->envname("METRICSD_METRICS_MAX_SERIES")
      ->check(CLI::Range(std::size_t{1}, kMaxSeries).description(""));
  app.add_option("--metrics.series-expiry", flags.series_expiry,
                 "Let a series go when nothing was told of it for so long: 90s, 30m, 24h, 7d, or off")
      ->type_name("DURATION")
      ->capture_default_str()
      ->envname("METRICSD_METRICS_SERIES_EXPIRY")
      ->check(must([](const std::string& text) { return parse_duration(text).has_value(); },
                   "must be off, or a number with one of the units ms, s, m, h, d"));
  app.add_option("--metrics.duration-buckets", flags.duration_bounds, "Upper bounds of durations, in seconds")
      ->type_name("BOUNDS")
      ->capture_default_str()
      ->envname("METRICSD_METRICS_DURATION_BUCKETS")
      ->check(must(are_bounds, bounds_complaint));
  app.add_option("--metrics.size-buckets", flags.size_bounds, "Upper bounds of object sizes, in bytes")
      ->type_name("BOUNDS")
      ->capture_default_str()
      ->envname("METRICSD_METRICS_SIZE_BUCKETS")
      ->check(must(are_bounds, bounds_complaint));
}

void add_process_flags(CLI::App& app, Flags& flags) {
  app.add_option("--ingest.threads", flags.ingest_threads, "Threads that read from senders")
      ->type_name("N")
      ->capture_default_str()
      ->envname("METRICSD_INGEST_THREADS")
      ->check(CLI::Range(1U, kMaxIngestThreads).description(""));
  app.add_option("--log.level", flags.log_level, "The least grave lines to log: debug, info, warning, error")
      ->type_name("LEVEL")
      ->capture_default_str()
      ->envname("METRICSD_LOG_LEVEL")
      ->check(must(
          [](const std::string& t) { return t == "debug" || t == "info" || t == "warning" || t == "error"; },
          "must be debug, info, warning or error"));
  app.add_option("--log.format", flags.log_format, "Form of the log on stderr: logfmt, json")
      ->type_name("FORMAT")
      ->capture_default_str()
      ->envname("METRICSD_LOG_FORMAT")
      ->check(
          must([](const std::string& t) { return t == "logfmt" || t == "json"; }, "must be logfmt or json"));
}

LogLevel log_level_of(std::string_view text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "warning") return LogLevel::warning;
  if (text == "error") return LogLevel::error;
  return LogLevel::info;
}

void add_data_flags(CLI::App& app, Flags& flags) {
  app.add_option(
         "--data-dir", flags.data_dir,
         "Keep what is counted here, over restarts and crashes; none keeps nothing. Where by default, "
         "see below")
      ->type_name("DIR|none")
      ->envname("METRICSD_DATA_DIR");
  app.add_option("--data.checkpoint-interval", flags.checkpoint_interval,
                 "Make what was counted durable so often, or sooner where senders wait for it")
      ->type_name("DURATION")
      ->capture_default_str()
      ->envname("METRICSD_DATA_CHECKPOINT_INTERVAL")
      ->check(must([](const std::string& text) { return parse_duration(text).value_or(0) > 0; },
                   "must be a number above 0 with one of the units ms, s, m, h, d"));
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
  app.footer(
      "A flag beats its environment variable.\n"
      "The socket: --socket, $METRICSD_SOCKET, $RUNTIME_DIRECTORY/metricsd.sock, /run/metricsd/metricsd.sock "
      "for root,\n"
      "  $XDG_RUNTIME_DIR/metricsd/metricsd.sock, /tmp/metricsd-UID/metricsd.sock: the first that applies.\n"
      "The data directory: --data-dir, $STATE_DIRECTORY, /var/lib/metricsd for root, "
      "$XDG_STATE_HOME/metricsd,\n"
      "  ~/.local/state/metricsd: the first that applies.\n"
      "Exit codes: 0 ended by a signal, 1 failed, 2 wrong usage.\n"
      "Try it: printf '{\"operation_type\":\"upload\",\"duration_ms\":12.5,\"success\":true}\\n' | nc -UN "
      "SOCKET");
  app.get_formatter()->column_width(44);

  Flags flags;
  flags.duration_bounds = join_bounds(default_duration_bounds());
  flags.size_bounds = join_bounds(default_size_bounds());
  add_socket_flags(app, flags);
  add_user_flags(app, flags);
  add_web_flags(app, flags);
  add_metrics_flags(app, flags);
  add_data_flags(app, flags);
  add_process_flags(app, flags);

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

std::optional<std::int64_t> parse_duration(std::string_view text) {
  if (text == "off" || text == "0") return 0;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));

  constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {{"ms", kNsPerMs},
                                                                  {"s", kNsPerSecond},
                                                                  {"m", 60 * kNsPerSecond},
                                                                  {"h", 3600 * kNsPerSecond},
                                                                  {"d", 24 * 3600 * kNsPerSecond}};
  for (const auto& [name, length_ns] : kUnits) {
    if (unit != name) continue;
    if (number > std::numeric_limits<std::int64_t>::max() / length_ns) return std::nullopt;
    return number * length_ns;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_quantity(std::string_view text) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  if (text == "off") return kMost;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number == 0) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));

  constexpr std::pair<std::string_view, int> kUnits[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
  for (const auto& [name, shift] : kUnits) {
    if (unit != name) continue;
    if (number > (kMost >> shift)) return std::nullopt;
    return number << shift;
  }
  return std::nullopt;
}

std::optional<std::vector<double>> parse_bounds(std::string_view text) {
  std::vector<double> bounds;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    double bound = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + comma, bound);
    if (error != std::errc{} || end != text.data() + comma || !std::isfinite(bound) || bound < 0)
      return std::nullopt;
    if (!bounds.empty() && bound <= bounds.back()) return std::nullopt;
    bounds.push_back(bound);
    if (bounds.size() > limits::kBounds) return std::nullopt;
    if (comma == text.size()) return bounds;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace metricsd::server
