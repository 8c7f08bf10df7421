// metricsctl summary: the table of a run; of a directory computed anew from its operations, of a live run as
// the daemon has it.

#include "command.h"
#include "daemon_status.h"
#include "run_directory.h"
#include "summary_reader.h"

#include <metricsd/exporters/jsonl_reader.h>
#include <metricsd/exporters/run_export.h>
#include <metricsd/exporters/run_summary.h>
#include <metricsd/models/statistics/summary_builder.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <httplib.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

constexpr int kAnswerTimeoutMs = 5000;

struct SummaryOptions {
  std::string directory;
  std::string socket;
  std::string run;
  bool as_json = false;
};

void print(const RunSummary& summary, bool as_json) {
  std::string text;
  if (as_json) {
    exporters::render_summary_json(text, summary, JsonWriter::Style::pretty);
  } else {
    exporters::render_summary_table(text, summary, ::isatty(STDOUT_FILENO) != 0);
  }
  if (!text.ends_with('\n')) text += '\n';
  std::fputs(text.c_str(), stdout);
}

// `bad_lines` receives how many lines were passed over.
Result<RunSummary> summarize(const std::filesystem::path& directory, Run run, std::uint64_t& bad_lines) {
  auto reader = exporters::JsonlReader::open(directory / exporters::kOperationsFile);
  if (!reader) return reader.error();
  SummaryBuilder::Options options;
  options.spill_directory = std::filesystem::temp_directory_path();
  SummaryBuilder builder(options);
  OperationView operation;
  for (;;) {
    const auto more = reader->next(operation);
    if (!more) return more.error();
    if (!*more) break;
    if (const auto added = builder.add(operation); !added) return added.error();
  }
  bad_lines = reader->bad_lines();
  auto dropped = add_members(directory, run);
  return builder.finish(run, std::move(dropped).value_or(DropCounts{}));
}

int summarize_directory(const SummaryOptions& options) {
  Result<Run> run = run_of_directory(options.directory);
  if (!run) return fail_to_read_run(options.directory, run.error());
  std::uint64_t bad_lines = 0;
  const auto summary = summarize(options.directory, *std::move(run), bad_lines);
  if (!summary) return fail(options.directory + ": " + summary.error().message());
  if (bad_lines > 0) {
    warn(std::to_string(bad_lines) + " lines passed over that are no operation");
  }
  print(*summary, options.as_json);
  return kDone;
}

int summarize_live(const SummaryOptions& options) {
  const auto paths = daemon_paths(options.socket);
  const auto status = ask_daemon(paths, kAnswerTimeoutMs);
  if (!status) return fail(explain(status.error(), paths));
  if (status->web_addresses.empty()) return fail("the daemon serves no HTTP");
  const std::string& address = status->web_addresses.front();

  httplib::Client http("http://" + address);
  const std::string path = "/api/v1/summary" + (options.run.empty() ? "" : "?run=" + options.run);
  const auto response = http.Get(path);
  if (!response) return fail("http://" + address + ": " + httplib::to_string(response.error()));
  if (response->status == 404) {
    return fail(options.run.empty() ? "no run yet" : "the daemon knows no run " + options.run);
  }
  const auto summary = response->status == 200 ? read_summary_json(response->body) : Errc::malformed_json;
  if (!summary)
    return fail("http://" + address + path + ": no summary (status " + std::to_string(response->status) +
                ")");
  if (options.as_json) {
    std::printf("%s\n", response->body.c_str());
  } else {
    print(*summary, options.as_json);
  }
  return kDone;
}

int show_summary(const SummaryOptions& options) {
  if (!options.directory.empty()) return summarize_directory(options);
  if (!options.run.empty() && !is_run_id(options.run)) {
    fail("--run: not a run id: " + options.run);
    return kUsage;
  }
  return summarize_live(options);
}

}  // namespace

void add_summary_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<SummaryOptions>();
  CLI::App* const command = app.add_subcommand("summary", "Show the table of a run");
  CLI::Option* const directory =
      command->add_option("directory", options->directory, "A run's directory (default: ask the daemon)");
  command->add_option("--run", options->run, "The live run's id (default: the newest)")->excludes(directory);
  command->add_option("--socket", options->socket, "The daemon's socket (default: where clients look)")
      ->excludes(directory);
  command->add_flag("--json", options->as_json, "As JSON");
  command->callback([options, &exit_code] { exit_code = show_summary(*options); });
}

}  // namespace metricsd::tools
