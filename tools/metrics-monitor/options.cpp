#include "options.h"

#include "command_line.h"

#include <cmath>
#include <limits>

#include <CLI/CLI.hpp>

namespace metricsd::tools {

namespace {

constexpr double kLongestSeconds = 366.0 * 24 * 3600;

void add_options(CLI::App& app, AttachOptions& options, std::vector<std::string>& roles) {
  app.add_option("--pid", options.pids, "Processes with all their descendants, by number")
      ->delimiter(',')
      ->check(CLI::Range(1, std::numeric_limits<pid_t>::max()));
  app.add_option("--name", options.pattern,
                 "Processes with all their descendants, by a shell's pattern of their name or command line");
  app.add_option("--role", roles, "PID-OR-PATTERN=ROLE: the role of processes; the first that fits")
      ->allow_extra_args(false);
  app.add_option("--duration", options.duration_seconds,
                 "Seconds to watch (default: until what is watched has ended, or Ctrl-C)");
  add_monitoring_options(app, options.monitoring);
}

// Throws what is wrong with the options together.
void check(const AttachOptions& options) {
  if (options.pids.empty() && options.pattern.empty() && !options.monitoring.with_system) {
    throw CLI::ValidationError("what to watch? --pid N, --name PATTERN or --system");
  }
  const double seconds = options.duration_seconds.value_or(1);
  if (!(seconds > 0 && seconds <= kLongestSeconds)) {
    throw CLI::ValidationError("--duration: must be a number of seconds above 0, at most a year");
  }
}

}  // namespace

std::variant<AttachOptions, int> parse_options(int argc, char** argv) {
  AttachOptions options;
  std::vector<std::string> roles;
  CLI::App app("metrics-monitor: measures what processes that already run, or the whole machine, cost.",
               "metrics-monitor");
  app.set_version_flag("--version", "metrics-monitor " METRICSD_VERSION);
  add_options(app, options, roles);
  try {
    app.parse(argc, argv);
    check(options);
    for (const std::string& rule : roles) {
      if (const auto added = options.roles.add(rule); !added) {
        throw CLI::ValidationError("--role " + rule + ": must be PID-OR-PATTERN=ROLE");
      }
    }
  } catch (const CLI::ParseError& error) {
    return end_parsing(app, error);
  }
  return options;
}

}  // namespace metricsd::tools
