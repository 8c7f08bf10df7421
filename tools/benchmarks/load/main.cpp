// metricsd_load: tells a peer of events, as fast as it takes them, and prints one JSON object of what that
// took.
//
//   metricsd_load send --dialect statsd --tcp 8125 --events-a-write 64 --seconds 2
//   metricsd_load read-only --unix SOCKET
//   metricsd_load prometheus-cpp --seconds 2

#include "command_line.h"
#include "in_process.h"
#include "process.h"
#include "sender.h"
#include "sink.h"

#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>

namespace metricsd::load {

namespace {

constexpr double kMaxSeconds = 3600;
constexpr std::size_t kMaxEventsAWrite = 4096;
constexpr unsigned kMaxConnections = 1024;

struct Options {
  std::string dialect;
  double seconds = 2;
  SendOptions send;
  std::string sink_path;
};

void print(const Sent& sent, std::optional<std::uint64_t> counted = {}) {
  boost::json::object result{{"events", sent.events},
                             {"writes", sent.writes},
                             {"bytes", sent.bytes},
                             {"seconds", sent.seconds},
                             {"cpu_seconds", static_cast<double>(measuring::process_cpu_ns()) * 1e-9}};
  if (counted) result["counted"] = *counted;
  measuring::print(result);
}

void add_seconds(CLI::App& app, double& seconds) {
  app.add_option("--seconds", seconds, "How long it goes on")
      ->check(CLI::Range(0.001, kMaxSeconds))
      ->capture_default_str();
}

void add_send(CLI::App& app, Options& options) {
  std::vector<std::string> dialects;
  for (const Dialect& dialect : all_dialects()) dialects.emplace_back(dialect.name);
  CLI::App* const send = app.add_subcommand("send", "Sends events to a peer");
  SendOptions& to = options.send;
  send->add_option("--dialect", options.dialect, "How the peer is told")
      ->required()
      ->check(CLI::IsMember(dialects));
  CLI::Option* const path = send->add_option("--unix", to.address.unix_path, "The peer's Unix socket");
  send->add_option("--tcp", to.address.tcp_port, "The peer's port on 127.0.0.1")->excludes(path);
  send->add_option("--events-a-write", to.events_a_write, "Events in each write")
      ->check(CLI::Range(std::size_t{1}, kMaxEventsAWrite))
      ->capture_default_str();
  send->add_option("--connections", to.connections, "Connections, each with a thread")
      ->check(CLI::Range(1U, kMaxConnections))
      ->capture_default_str();
  send->add_option("--events", to.max_events,
                   "Events of each connection at most, to the next write; 0: any number");
  add_seconds(*send, options.seconds);
}

void add_others(CLI::App& app, Options& options) {
  CLI::App* const sink = app.add_subcommand("read-only", "Listens, reads and does nothing else");
  sink->add_option("--unix", options.sink_path, "The path to listen at")->required();
  add_seconds(*app.add_subcommand("prometheus-cpp", "Tells prometheus-cpp in this process"), options.seconds);
}

int run(const CLI::App& app, Options& options) {
  const std::chrono::nanoseconds duration(static_cast<std::int64_t>(options.seconds * 1e9));
  if (app.got_subcommand("read-only")) read_only(options.sink_path);
  if (app.got_subcommand("prometheus-cpp")) {
    const Counted told = tell_prometheus_cpp(duration);
    print(told.sent, told.counted);
    return 0;
  }
  options.send.dialect = find_dialect(options.dialect);
  options.send.max_duration = duration;
  print(send(options.send));
  return 0;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("metricsd_load: tells a peer of events as fast as it takes them.", "metricsd_load");
  app.require_subcommand(1);
  add_send(app, options);
  add_others(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return tools::end_parsing(app, error);
  }
  try {
    return run(app, options);
  } catch (const std::system_error& error) {
    measuring::fail(error.what());
  }
}

}  // namespace

}  // namespace metricsd::load

int main(int argc, char** argv) {
  return metricsd::load::run(argc, argv);
}
