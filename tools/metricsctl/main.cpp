// metricsctl: starts, stops and asks the daemon; makes the files of a run.

#include "command.h"
#include "command_line.h"

#include <exception>

#include <CLI/CLI.hpp>

namespace metricsd::tools {

namespace {

int run(int argc, char** argv) {
  CLI::App app("metricsctl: starts, stops and asks metricsd; makes the files of a run.", "metricsctl");
  app.set_version_flag("--version", "metricsctl " METRICSD_VERSION);
  app.require_subcommand(0, 1);  // without one, what else was given would not be named
  int exit_code = kDone;
  add_start_command(app, exit_code);
  add_stop_command(app, exit_code);
  add_status_command(app, exit_code);
  add_summary_command(app, exit_code);
  add_export_command(app, exit_code);
  add_adopt_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return end_parsing(app, error);
  }
  if (!app.get_subcommands().empty()) return exit_code;
  fail("which command? start, stop, status, summary, export or adopt (see metricsctl --help)");
  return kUsage;
}

}  // namespace

}  // namespace metricsd::tools

int main(int argc, char** argv) {
  try {
    return metricsd::tools::run(argc, argv);
  } catch (const std::exception& error) {
    return metricsd::tools::fail(error.what());
  }
}
