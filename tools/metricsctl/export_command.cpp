// metricsctl export: from a run's operations.jsonl its other files, also where the run crashed.

#include "command.h"
#include "left_segment.h"
#include "run_directory.h"

#include <metricsd/exporters/run_export.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <unistd.h>

namespace metricsd::tools {

namespace {

struct ExportCommandOptions {
  std::string directory;
  std::vector<std::string> formats{"jsonl", "json", "csv"};
  bool csv_raw = false;
  bool csv_bom = false;
};

void show_progress(std::uint64_t done, std::uint64_t all) {
  const unsigned percent =
      all == 0 ? 100 : static_cast<unsigned>(100.0 * static_cast<double>(done) / static_cast<double>(all));
  std::fprintf(stderr, "\r\033[K%u %%", percent);
}

std::string files_written(const std::vector<std::string>& formats, const exporters::ExportReport& report) {
  std::vector<std::string> names;
  for (const std::string& format : formats) {
    if (format != "jsonl") names.emplace_back(exporters::find_operation_format(format)->file_name);
  }
  names.emplace_back(exporters::kSummaryFile);
  names.emplace_back(exporters::kRunFile);
  std::string list;
  for (const std::string& name : names) {
    const bool failed = std::any_of(report.failed_files.begin(), report.failed_files.end(),
                                    [&](const auto& file) { return file.first == name; });
    if (!failed) list += (list.empty() ? "" : ", ") + name;
  }
  return list;
}

// What processes of this run left behind that were killed.
void complete_from_segments(const std::filesystem::path& directory) {
  std::uint64_t lines = 0;
  for (const std::filesystem::path& file : left_segments(default_segment_directories())) {
    auto segment = LeftSegment::open(file);
    if (!segment || !segment->is_of(directory)) continue;
    if (!segment->is_own()) {
      if (segment->may_lack_lines())
        warn(file.string() + " is another user's, who is to run metricsctl adopt");
      continue;
    }
    const auto completed = segment->complete_file();
    if (completed) {
      lines += *completed;
      segment->remove_if_delivered();
    } else if (completed.error() != Errc::endpoint_in_use) {
      warn(file.string() + ": " + completed.error().message());
    }
  }
  if (lines > 0) {
    std::printf("%s: %llu operations added that a process which was killed had not written\n",
                directory.c_str(), static_cast<unsigned long long>(lines));
  }
}

int export_directory(const ExportCommandOptions& command) {
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  complete_from_segments(command.directory);
  exporters::ExportOptions options;
  options.formats = command.formats;
  options.csv_raw = command.csv_raw;
  options.csv_bom = command.csv_bom;
  Result<Run> run = run_of_directory(command.directory);
  if (!run) return fail_to_read_run(command.directory, run.error());
  const auto dropped = add_members(command.directory, *run);
  if (!dropped) warn("no process of this run said what it lost; the files can not tell, either");
  options.dropped = dropped.value_or(DropCounts{});
  if (terminal) options.progress = show_progress;
  const auto report = exporters::export_run(command.directory, *std::move(run), options);
  if (terminal) std::fputs("\r\033[K", stderr);
  if (!report) {
    return fail((std::filesystem::path(command.directory) / exporters::kOperationsFile).string() + ": " +
                report.error().message());
  }

  std::printf("%s: %llu operations", command.directory.c_str(),
              static_cast<unsigned long long>(report->operations));
  if (report->bad_lines > 0) {
    std::printf(", %llu lines passed over that are none", static_cast<unsigned long long>(report->bad_lines));
  }
  const std::string written = files_written(command.formats, *report);
  std::printf("\nwrote %s\n", written.empty() ? "nothing" : written.c_str());
  for (const std::string& warning : report->warnings) warn(warning);
  for (const auto& [file, error] : report->failed_files) fail(file + ": " + error.message());
  const bool holds_no_run = report->operations == 0 && report->bad_lines > 0;
  if (holds_no_run) fail("no line of it is an operation");
  return report->failed_files.empty() && !holds_no_run ? kDone : kFailed;
}

}  // namespace

void add_export_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ExportCommandOptions>();
  CLI::App* const command = app.add_subcommand("export", "Make a run's files from its operations.jsonl");
  command->add_option("directory", options->directory, "The run's directory")->required();
  command->add_option("--export", options->formats, "Which of jsonl, json, csv; the statistics always")
      ->delimiter(',')
      ->check(CLI::IsMember({"jsonl", "json", "csv"}))
      ->capture_default_str();
  command->add_flag("--csv-raw", options->csv_raw, "Leave text cells that look like formulas as they are");
  command->add_flag("--csv-bom", options->csv_bom,
                    "Begin the CSV with a byte order mark, for old spreadsheets");
  command->callback([options, &exit_code] { exit_code = export_directory(*options); });
}

}  // namespace metricsd::tools
