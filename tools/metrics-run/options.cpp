#include "options.h"

#include "command_line.h"

#include <algorithm>
#include <memory>
#include <string_view>

#include <CLI/CLI.hpp>

namespace metricsd::tools {

namespace {

constexpr const char* kExitCodes =
    "The exit code is the command's, and as a shell's: 128 + n where signal n ended it, 127 where there is "
    "no\n"
    "such command, 126 where it can not be run. 2: wrong usage.";

void add_options(CLI::App& app, RunCommandOptions& options, std::vector<std::string>& roles) {
  add_monitoring_options(app, options.monitoring);
  app.add_option("--name,--role", roles, "PID-OR-PATTERN=ROLE: the role of processes; the first that fits")
      ->allow_extra_args(false);
  app.add_flag("--wait", options.wait_for_all,
               "Also wait for what the command leaves behind; a service is always waited for");
  app.footer(kExitCodes);
}

// What stands behind -- is none of CLI11's options.
class Help : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* /*app*/, std::string name) const override {
    return "Usage: " + name + " [OPTIONS] -- COMMAND [ARGUMENT...]\n";
  }
};

// Everything behind the first `--` is the command's, whatever it looks like.
std::vector<std::string> command_behind(char** separator, char** end) {
  return separator == end ? std::vector<std::string>() : std::vector<std::string>(separator + 1, end);
}

}  // namespace

std::variant<RunCommandOptions, int> parse_options(int argc, char** argv) {
  RunCommandOptions options;
  std::vector<std::string> roles;
  std::vector<std::string> stray;
  CLI::App app("metrics-run: runs a command and measures what it and all its processes cost.", "metrics-run");
  app.set_version_flag("--version", "metrics-run " METRICSD_VERSION);
  add_options(app, options, roles);
  app.formatter(std::make_shared<Help>());
  app.add_option("command", stray)->group("");  // none of ours, and only for a better word about it

  char** const end = argv + argc;
  char** const separator = std::find(argv, end, std::string_view("--"));
  try {
    app.parse(static_cast<int>(separator - argv), argv);
    options.command = command_behind(separator, end);
    if (!stray.empty()) throw CLI::ValidationError(stray[0] + ": a command stands behind --");
    if (options.command.empty())
      throw CLI::ValidationError("which command? metrics-run [OPTIONS] -- COMMAND");
    for (const std::string& rule : roles) {
      if (const auto added = options.roles.add(rule); !added) {
        throw CLI::ValidationError("--name " + rule + ": must be PID-OR-PATTERN=ROLE");
      }
    }
  } catch (const CLI::ParseError& error) {
    return end_parsing(app, error);
  }
  return options;
}

}  // namespace metricsd::tools
