#include "summary_reader.h"

#include <metricsd/exporters/run_summary.h>

#include <string>

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

RunSummary some_summary() {
  RunSummary summary;
  summary.test_run_id = "id";
  summary.test_name = "name";
  summary.start_time = Timestamp{kNsPerSecond};
  summary.end_time = Timestamp{11 * kNsPerSecond};
  summary.duration_seconds = 10;
  summary.dropped = {{"socket", {{"no_daemon", 3}}}};
  summary.overall.operations = {5, 4};
  Statistics durations;
  durations.count = 4;
  durations.min = 1.5;
  durations.max = 9.25;
  durations.mean = 3;
  durations.percentiles = {2, 3, 4, 5, 6, 7};
  summary.overall.duration_ms = durations;
  summary.overall.object_size_bytes = SizeStatistics{1, 10, 5.5, 22};
  summary.overall.requests_per_second = 0.5;
  summary.by_operation["upload"] = summary.overall;
  summary.by_operation["delete"].operations = {1, 0};
  summary.errors_by_code = {{"404", 1}};
  return summary;
}

TEST(SummaryReader, ReadsBackWhatIsWritten) {
  const RunSummary written = some_summary();
  std::string json;
  exporters::render_summary_json(json, written, JsonWriter::Style::pretty);
  const auto read = read_summary_json(json);
  ASSERT_TRUE(read) << json;

  std::string again;
  exporters::render_summary_json(again, *read, JsonWriter::Style::pretty);
  EXPECT_EQ(again, json);
}

TEST(SummaryReader, MissingPartsStayEmpty) {
  const auto read = read_summary_json("{}");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->overall.operations.total, 0U);
  EXPECT_FALSE(read->overall.duration_ms);
  EXPECT_TRUE(read->by_operation.empty());
}

TEST(SummaryReader, OddTypesAreNoDisaster) {
  const auto read = read_summary_json(
      R"({"operations": 1, "overall": [], "by_operation": {"x": 1}, "dropped": {"a": 1, "b": {"c": -1, "d": "e"}}})");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->dropped.empty());
  EXPECT_FALSE(read_summary_json("[]"));
  EXPECT_FALSE(read_summary_json("nonsense"));
}

}  // namespace
}  // namespace metricsd::tools
