#include "files.h"
#include "sample_operation.h"

#include <metricsd/exporters/run_export.h>
#include <metricsd/models/json/document.h>
#include <metricsd/models/operation_json.h>
#include <metricsd/support/temporary_directory.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace metricsd::exporters {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Timestamp kStart{1'767'225'600 * kNsPerSecond};

// Operation `n` of a run: one a second, each of 100 ms, every fourth a failure.
std::string operation_line(int n) {
  OperationMetric operation = sample_operation();
  operation.operation_id = "id-" + std::to_string(n);
  operation.timestamp_start = Timestamp{kStart.ns + n * kNsPerSecond};
  operation.timestamp_end = Timestamp{kStart.ns + n * kNsPerSecond + 100 * kNsPerMs};
  operation.duration_ns = 100 * kNsPerMs;
  operation.success = n % 4 != 3;
  if (operation.success) operation.error_code.clear();
  std::string line;
  append_operation_json(line, operation);
  return line + '\n';
}

class RunExportTest : public testing::Test {
 protected:
  RunExportTest() {
    run_.test_run_id = "run-1";
    run_.test_name = "nightly";
    run_.start_time = kStart;
    run_.end_time = Timestamp{kStart.ns + 20 * kNsPerSecond};
  }

  [[nodiscard]] fs::path at(std::string_view name) const { return directory_.path() / name; }
  [[nodiscard]] std::vector<std::string> names() const { return names_in(directory_.path()); }

  void write_operations(int count) {
    std::string text;
    for (int n = 0; n < count; ++n) text += operation_line(n);
    write_text(at(kOperationsFile), text);
  }

  [[nodiscard]] boost::json::value document(std::string_view name) const {
    const std::string text = read_text(at(name));
    EXPECT_THAT(text, testing::EndsWith("}\n"));
    return parse_json(text).value();
  }

  support::TemporaryDirectory directory_;
  metricsd::Run run_;  // qualified: testing::Test has a Run of its own
};

TEST_F(RunExportTest, WritesEveryFileAskedFor) {
  write_operations(8);
  const std::string jsonl = read_text(at(kOperationsFile));
  const auto report = export_run(directory_.path(), run_, {.formats = {"jsonl", "json", "csv"}});
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->operations, 8U);
  EXPECT_EQ(report->bad_lines, 0U);
  EXPECT_THAT(report->warnings, IsEmpty());
  EXPECT_THAT(report->failed_files, IsEmpty());
  EXPECT_THAT(names(), ElementsAre("aggregated.json", "operations.csv", "operations.json", "operations.jsonl",
                                   "test_config.json"));
  EXPECT_EQ(read_text(at(kOperationsFile)), jsonl);
  EXPECT_EQ(document("operations.json").at("operations").as_array().size(), 8U);
  const std::string csv = read_text(at("operations.csv"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 9);
}

TEST_F(RunExportTest, SummaryAndRunAreAlwaysWritten) {
  write_operations(8);
  const auto report = export_run(directory_.path(), run_, {.dropped = {{"socket", {{"no_daemon", 3}}}}});
  ASSERT_TRUE(report.has_value());
  EXPECT_THAT(names(), ElementsAre("aggregated.json", "operations.jsonl", "test_config.json"));

  const boost::json::value summary = document(kSummaryFile);
  EXPECT_EQ(summary.at("test_run_id").as_string(), "run-1");
  EXPECT_EQ(summary.at("operations").at("total").to_number<int>(), 8);
  EXPECT_EQ(summary.at("operations").at("failed").to_number<int>(), 2);
  EXPECT_EQ(summary.at("errors").at("by_code").at("SlowDown").to_number<int>(), 2);
  EXPECT_EQ(summary.at("dropped").at("socket").at("no_daemon").to_number<int>(), 3);
  EXPECT_EQ(summary.at("duration_seconds").to_number<double>(), 20);

  const boost::json::value config = document(kRunFile);
  EXPECT_EQ(config.as_object().begin()->key(), "schema_version");
  EXPECT_EQ(config.at("schema_version").to_number<int>(), 1);
  EXPECT_EQ(config.at("duration_seconds").to_number<double>(), 20);
}

TEST_F(RunExportTest, TheReportHoldsWhatTheFileSays) {
  write_operations(8);
  const auto report = export_run(directory_.path(), run_, {});
  ASSERT_TRUE(report.has_value());
  ASSERT_TRUE(report->summary.has_value());
  EXPECT_EQ(report->summary->overall.operations.total, 8U);
  EXPECT_EQ(report->summary->overall.operations.successful, 6U);
  EXPECT_EQ(report->summary->overall.bytes_transferred, 6U << 20);
  EXPECT_EQ(report->summary->errors_by_code.at("SlowDown"), 2U);
  EXPECT_EQ(report->summary_json, read_text(at(kSummaryFile)));
}

// More operations than fit in memory, and no room for the rest of them.
TEST_F(RunExportTest, ASummaryThatCannotBeMadeIsNoSummary) {
  constexpr int kBeyondMemory = 2'000'000;
  {
    std::ofstream jsonl(at(kOperationsFile), std::ios::binary);
    for (int n = 0; n < kBeyondMemory; ++n) {
      jsonl << "{\"operation_type\":\"read\",\"duration_ms\":1,\"success\":true}\n";
    }
  }
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{1 << 20, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto report = export_run(directory_.path(), run_, {});
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, SIG_DFL);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->operations, static_cast<std::uint64_t>(kBeyondMemory));
  EXPECT_FALSE(report->summary.has_value());
  EXPECT_EQ(report->summary_json, "");
  ASSERT_EQ(report->failed_files.size(), 1U);
  EXPECT_EQ(report->failed_files[0].first, kSummaryFile);
  EXPECT_FALSE(fs::exists(at(kSummaryFile)));
}

TEST_F(RunExportTest, ARunThatDiedEndsWithItsLastOperation) {
  write_operations(8);
  run_.end_time.reset();
  ASSERT_TRUE(export_run(directory_.path(), run_, {}).has_value());
  const boost::json::value config = document(kRunFile);
  EXPECT_EQ(config.at("end_time").as_string(), "2026-01-01T00:00:07.100000Z");
  EXPECT_EQ(config.at("duration_seconds").to_number<double>(), 7.1);
  EXPECT_EQ(document(kSummaryFile).at("end_time"), config.at("end_time"));
}

TEST_F(RunExportTest, ARunOfNothing) {
  write_operations(0);
  const auto report = export_run(directory_.path(), run_, {.formats = {"json", "csv"}});
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->operations, 0U);
  EXPECT_THAT(report->failed_files, IsEmpty());
  EXPECT_TRUE(document("operations.json").at("operations").as_array().empty());
  EXPECT_TRUE(document(kSummaryFile).at("operations").at("success_rate").is_null());
}

TEST_F(RunExportTest, BadLinesAreCountedAndSaid) {
  write_operations(3);
  write_text(at(kOperationsFile), read_text(at(kOperationsFile)) + "{\"operation_type\":\"up");
  const auto report = export_run(directory_.path(), run_, {});
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->operations, 3U);
  EXPECT_EQ(report->bad_lines, 1U);
  EXPECT_THAT(report->warnings, ElementsAre(HasSubstr("1 line(s)")));
}

TEST_F(RunExportTest, AFileThatCannotBeWrittenDoesNotStopTheOthers) {
  write_operations(3);
  for (const char* name : {"operations.csv", "aggregated.json", "test_config.json"}) {
    fs::remove(at(name));
    fs::create_directory(at(name));  // in the way
    const auto report = export_run(directory_.path(), run_, {.formats = {"csv", "json"}});
    ASSERT_TRUE(report.has_value());
    ASSERT_EQ(report->failed_files.size(), 1U) << name;
    EXPECT_EQ(report->failed_files[0].first, name);
    EXPECT_EQ(report->failed_files[0].second, boost::system::errc::is_a_directory);
    EXPECT_THAT(names(), ElementsAre("aggregated.json", "operations.csv", "operations.json",
                                     "operations.jsonl", "test_config.json"));
    fs::remove(at(name));
  }
}

TEST_F(RunExportTest, WithoutItsJsonlThereIsNoExport) {
  const auto report = export_run(directory_.path(), run_, {.formats = {"csv"}});
  EXPECT_EQ(report.error(), boost::system::errc::no_such_file_or_directory);
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(RunExportTest, AnUnknownFormatIsSaid) {
  write_operations(1);
  const auto report = export_run(directory_.path(), run_, {.formats = {"xml"}});
  ASSERT_TRUE(report.has_value());
  EXPECT_THAT(report->warnings, ElementsAre(HasSubstr("\"xml\"")));
}

// Rows are copied from lines of our own writer and made anew from others: the file does not show which.
TEST_F(RunExportTest, HowALineIsWrittenDoesNotMatter) {
  const std::string ours =
      R"({"operation_id":"a","timestamp_start":"2026-01-01T00:00:00.500000Z","operation_type":"read",)"
      R"("object_size_bytes":1000,"duration_ms":1.25,"throughput_mbps":0.75,"success":true,)"
      R"("metadata":{"k":"\"v\""}})";
  const std::string theirs =
      R"({"success": true, "operation_id":"a", "operation_type":"\u0072ead", "duration_ms":125e-2, "x":[1],)"
      R"("timestamp_start":"2026-01-01 01:00:00.5+01:00", "object_size_bytes":1e3, "throughput_mbps":0.750,)"
      R"( "metadata":{"k" : "\u0022v\""}, "user_id":""})";
  write_text(at(kOperationsFile), ours + '\n' + theirs + "\r\n" + ours + '\n');
  const auto report = export_run(directory_.path(), run_, {.formats = {"json", "csv"}});
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->operations, 3U);
  const std::string row = "\n    " + ours;
  EXPECT_THAT(read_text(at("operations.json")), HasSubstr(row + ',' + row + ',' + row + "\n"));
  const std::string cells =
      "\r\na,2026-01-01T00:00:00.500000Z,,read,,,1000,1.25,0.75,true,,0,,,,,\"{\"\"k\"\":"
      "\"\"\\\"\"v\\\"\"\"\"}\"";
  EXPECT_THAT(read_text(at("operations.csv")), HasSubstr(cells + cells + cells + "\r\n"));
}

TEST_F(RunExportTest, ASecondExportGivesTheSame) {
  write_operations(50);
  const ExportOptions options{.formats = {"json", "csv"}};
  ASSERT_TRUE(export_run(directory_.path(), run_, options).has_value());
  std::vector<std::string> before;
  for (const std::string& name : names()) before.push_back(read_text(at(name)));
  ASSERT_TRUE(export_run(directory_.path(), read_run(directory_.path()).value(), options).has_value());
  std::vector<std::string> after;
  for (const std::string& name : names()) after.push_back(read_text(at(name)));
  EXPECT_EQ(before, after);
}

TEST_F(RunExportTest, CsvOptionsReachTheCsv) {
  OperationMetric operation = sample_operation();
  operation.object_key = "=1";
  std::string line;
  append_operation_json(line, operation);
  write_text(at(kOperationsFile), line);
  ASSERT_TRUE(export_run(directory_.path(), run_, {.formats = {"csv"}, .csv_raw = true, .csv_bom = true})
                  .has_value());
  EXPECT_THAT(read_text(at("operations.csv")),
              testing::AllOf(testing::StartsWith("\xEF\xBB\xBF"), HasSubstr(",=1,")));
}

TEST_F(RunExportTest, ProgressIsTold) {
  write_operations(3);
  const std::uint64_t size = fs::file_size(at(kOperationsFile));
  std::vector<std::pair<std::uint64_t, std::uint64_t>> told;
  const ExportOptions options{
      .progress = [&](std::uint64_t done, std::uint64_t in_all) { told.emplace_back(done, in_all); }};
  ASSERT_TRUE(export_run(directory_.path(), run_, options).has_value());
  EXPECT_THAT(told, ElementsAre(std::pair(size, size)));
}

TEST_F(RunExportTest, RunsComeBack) {
  run_.scenario = "steady";
  run_.num_users = 12;
  run_.tags = R"({"team":"storage"})";
  write_text(at(kRunFile), render_run(run_));
  const Result<metricsd::Run> read = read_run(directory_.path());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->test_run_id, run_.test_run_id);
  EXPECT_EQ(read->end_time, run_.end_time);
  EXPECT_EQ(read->num_users, 12U);
  EXPECT_EQ(read->tags, run_.tags);
}

TEST_F(RunExportTest, ARunningRunHasNoEnd) {
  run_.end_time.reset();
  write_text(at(kRunFile), render_run(run_));
  EXPECT_TRUE(document(kRunFile).at("end_time").is_null());
  EXPECT_TRUE(document(kRunFile).at("duration_seconds").is_null());
  EXPECT_EQ(read_run(directory_.path()).value().end_time, std::nullopt);
}

TEST_F(RunExportTest, RunsThatCannotBeRead) {
  EXPECT_EQ(read_run(directory_.path()).error(), Errc::run_not_found);
  write_text(at(kRunFile), "{");
  EXPECT_EQ(read_run(directory_.path()).error(), Errc::malformed_json);
  fs::resize_file(at(kRunFile), 17 << 20);
  EXPECT_EQ(read_run(directory_.path()).error(), Errc::too_long);
  fs::remove(at(kRunFile));
  fs::create_directory(at(kRunFile));
  EXPECT_TRUE(read_run(directory_.path()).has_error());
}

}  // namespace
}  // namespace metricsd::exporters
