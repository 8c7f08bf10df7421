#include "run_completion.h"

#include <metricsd/exporters/run_export.h>
#include <metricsd/exporters/run_summary.h>

#include <algorithm>
#include <utility>

namespace metricsd::client {
namespace {

using exporters::MemberRecord;

// Another process that finishes holds the gate while it exports; a hundred million operations take about this
// long.
constexpr std::int64_t kGateTimeoutNs = 300 * kNsPerSecond;

std::vector<MemberRecord> members_with(const MemberRecord& own, const Result<std::string>& content) {
  std::vector<MemberRecord> members =
      exporters::parse_members(content ? std::string_view(*content) : std::string_view());
  const bool listed = std::any_of(members.begin(), members.end(),
                                  [&own](const MemberRecord& m) { return m.client_id == own.client_id; });
  if (!listed) members.push_back(own);  // its line could not be written
  return members;
}

void take_over(Completion& completion, exporters::ExportReport report) {
  for (const auto& [file, error] : report.failed_files) {
    completion.problems.push_back(file + " could not be written: " + error.message());
  }
  completion.warnings = std::move(report.warnings);
  completion.complete = true;
  if (!report.summary) return;
  completion.summary_json = std::move(report.summary_json);
  exporters::render_summary_table(completion.plain_table, *report.summary, false);
  exporters::render_summary_table(completion.coloured_table, *report.summary, true);
}

}  // namespace

Completion complete_run(RunMembership& membership, const std::filesystem::path& directory, Run run,
                        const MemberRecord& own, const CompletionOptions& options) {
  Completion completion;
  std::string line;
  exporters::append_member(line, own);
  if (const Result<> appended = membership.append(line); !appended) {
    completion.problems.push_back("this process's part could not be noted: " + appended.error().message());
  }
  const Result<Departure> departure = membership.leave(kGateTimeoutNs);
  if (!departure) completion.problems.push_back("the run could not be left: " + departure.error().message());
  if (!departure || *departure != Departure::last) return completion;

  exporters::ExportOptions export_options{.formats = options.formats,
                                          .csv_raw = options.csv_raw,
                                          .csv_bom = options.csv_bom,
                                          .dropped = {},
                                          .progress = {}};
  export_options.dropped = exporters::merge_members(members_with(own, membership.read()), run);
  auto exported = exporters::export_run(directory, std::move(run), export_options);
  if (exported) {
    take_over(completion, std::move(*exported));
  } else {
    completion.problems.push_back("the run's files could not be written: " + exported.error().message());
  }
  return completion;
}

}  // namespace metricsd::client
