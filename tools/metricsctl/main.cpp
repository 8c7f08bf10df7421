// metricsctl: starts, stops and asks the daemon; makes the files of a run.

#include "command.h"

#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

namespace metricsd::tools {

int fail(const std::string& line) {
  std::fprintf(stderr, "metricsctl: %s\n", line.c_str());
  return kFailed;
}

namespace {

int run(int argc, char** argv) {
  CLI::App app("metricsctl: starts, stops and asks metricsd; makes the files of a run.", "metricsctl");
  app.set_version_flag("--version", "metricsctl " METRICSD_VERSION);
  app.require_subcommand(1);
  int exit_code = kDone;
  add_start_command(app, exit_code);
  add_stop_command(app, exit_code);
  add_status_command(app, exit_code);
  add_summary_command(app, exit_code);
  add_export_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked_for = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
    app.exit(error);
    return asked_for ? kDone : kUsage;
  }
  return exit_code;
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
