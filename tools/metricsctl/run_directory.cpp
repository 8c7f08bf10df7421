#include "run_directory.h"

#include "command.h"
#include "summary_reader.h"

#include <metricsd/exporters/file_source.h>
#include <metricsd/exporters/member_record.h>
#include <metricsd/exporters/run_export.h>
#include <metricsd/models/limits.h>

#include <optional>
#include <string>

namespace metricsd::tools {

namespace {

// `20260131T235959Z` as `2026-01-31T23:59:59Z`.
std::string spread_timestamp(std::string compact) {
  constexpr std::size_t kLength = 16;
  if (compact.size() != kLength) return {};
  compact.insert(13, 1, ':').insert(11, 1, ':').insert(6, 1, '-').insert(4, 1, '-');
  return compact;
}

Run run_of_name(const std::string& name) {
  Run run;
  run.test_name = name;
  const auto id_at = name.rfind('_');
  const auto time_at =
      id_at == std::string::npos || id_at == 0 ? std::string::npos : name.rfind('_', id_at - 1);
  if (time_at == std::string::npos) return run;
  const auto start = parse_timestamp(spread_timestamp(name.substr(time_at + 1, id_at - time_at - 1)));
  const std::string id = name.substr(id_at + 1);
  if (!start || !is_run_id(id)) return run;
  run.test_name = name.substr(0, time_at);
  run.test_run_id = id;
  run.start_time = *start;
  return run;
}

std::optional<DropCounts> drops_of_summary(const std::filesystem::path& directory) {
  const auto text = exporters::read_file(directory / exporters::kSummaryFile, limits::kSummaryFile);
  if (!text) return std::nullopt;
  auto summary = read_summary_json(*text);
  return summary ? std::optional(std::move(summary->dropped)) : std::nullopt;
}

}  // namespace

Result<Run> run_of_directory(const std::filesystem::path& directory) {
  auto run = exporters::read_run(directory);
  if (run || run.error() != Errc::run_not_found) return run;
  std::error_code error;
  const auto whole = std::filesystem::canonical(directory, error);
  return run_of_name((error ? directory : whole).filename().string());
}

int fail_to_read_run(const std::filesystem::path& directory, const error_code& error) {
  return fail((directory / exporters::kRunFile).string() + ": " + error.message() +
              "; mend it, or move it away and the directory's name will do");
}

std::optional<DropCounts> add_members(const std::filesystem::path& directory, Run& run) {
  const auto members = exporters::read_members(directory);
  if (!members) return drops_of_summary(directory).value_or(DropCounts{});
  if (members->empty()) return drops_of_summary(directory);
  const std::optional<Timestamp> end_time = run.end_time;
  DropCounts dropped = exporters::merge_members(*members, run);
  run.end_time = end_time;
  return dropped;
}

}  // namespace metricsd::tools
