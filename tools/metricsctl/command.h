// The commands of metricsctl: each adds its options to the command line and, where it was the one asked for,
// runs.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace metricsd::tools {

// The exit codes of every command.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

// One line on stderr; returns kFailed, so that a command can end with it.
int fail(const std::string& line);
void warn(const std::string& line);

// Each sets `exit_code` from within app.parse(), where its subcommand was given.
void add_start_command(CLI::App& app, int& exit_code);
void add_stop_command(CLI::App& app, int& exit_code);
void add_status_command(CLI::App& app, int& exit_code);
void add_summary_command(CLI::App& app, int& exit_code);
void add_export_command(CLI::App& app, int& exit_code);
void add_adopt_command(CLI::App& app, int& exit_code);

}  // namespace metricsd::tools
