#include "flags.h"

#include "flag_values.h"
#include "listen_address.h"

#include <metricsd/ipc/accounts.h>
#include <metricsd/models/family.h>
#include <metricsd/models/labels.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

namespace metricsd::server {
namespace {

constexpr unsigned kMaxIngestThreads = 256;
constexpr std::size_t kMaxSeries = 10'000'000;

// What http/routes.cpp serves beside the telemetry path, which comes first there and would hide them.
constexpr std::string_view kFixedRoutes[] = {
    "/", "/-/healthy", "/-/ready", "/api/v1/status", "/api/v1/summary", "/api/v1/runs", "/api/v1/processes"};

constexpr std::string_view kTaskRoutes = "/api/v1/tasks/";

// A path that is one route and nothing else: no query, no pattern, no byte that a URL would have to escape,
// no `//` in front that a client would take for a host.
bool is_telemetry_path(std::string_view path) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '-' || c == '_' || c == '.';
  };
  return path.starts_with('/') && !path.starts_with("//") && std::all_of(path.begin(), path.end(), allowed) &&
         !path.starts_with(kTaskRoutes) &&
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

// A database that does not answer is no mistake of who wrote the flag: the daemon then says so at its start.
bool may_be_user(const std::string& text) {
  const auto user = ipc::user_id(text);
  return text == "*" || user || user.error() != Errc::account_not_found;
}
bool may_be_group(const std::string& text) {
  const auto group = ipc::group_id(text);
  return group || group.error() != Errc::account_not_found;
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
      ->envname("METRICSD_SOCKET_GROUP")
      ->check(must(may_be_group, "there is no such group"));
  app.add_option(
         "--socket.allow-uid", flags.socket_allow_uids,
         "A user who may send, a name or a number, or * for everyone; repeatable. The daemon's own and "
         "root always may; without this flag and the next, the socket's group may too")
      ->type_name("USER")
      ->envname("METRICSD_SOCKET_ALLOW_UID")
      ->delimiter(',')
      ->check(must(may_be_user, "there is no such user"))
      ->take_all();
  app.add_option("--socket.allow-group", flags.socket_allow_groups,
                 "A group whose members may send, a name or a number; repeatable")
      ->type_name("GROUP")
      ->envname("METRICSD_SOCKET_ALLOW_GROUP")
      ->delimiter(',')
      ->check(must(may_be_group, "there is no such group"))
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
  app.add_option("--metrics.process-expiry", flags.process_expiry,
                 "Let the <namespace>_process... series of a task go so long after the last connection that "
                 "told of it: "
                 "a duration, or off")
      ->type_name("DURATION")
      ->capture_default_str()
      ->envname("METRICSD_METRICS_PROCESS_EXPIRY")
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

}  // namespace

Flags::Flags()
    : duration_bounds(join_bounds(default_duration_bounds())),
      size_bounds(join_bounds(default_size_bounds())) {}

void add_flags(CLI::App& app, Flags& flags) {
  add_socket_flags(app, flags);
  add_user_flags(app, flags);
  add_web_flags(app, flags);
  add_metrics_flags(app, flags);
  add_data_flags(app, flags);
  add_process_flags(app, flags);
}

}  // namespace metricsd::server
