#include "summaries.h"

#include <metricsd/exporters/run_summary.h>
#include <metricsd/models/json/document.h>

#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::exporters {
namespace {

using testing::ElementsAre;

boost::json::value document_of(const RunSummary& summary,
                               JsonWriter::Style style = JsonWriter::Style::compact) {
  std::string text;
  render_summary_json(text, summary, style);
  return parse_json(text).value();
}

std::vector<std::string> keys_of(const boost::json::value& object) {
  std::vector<std::string> keys;
  for (const auto& member : object.as_object()) keys.emplace_back(member.key());
  return keys;
}

constexpr std::string_view kGroup =
    R"("operations":{"total":4,"successful":3,"failed":1,"success_rate":75},)"
    R"("duration_ms":{"count":3,"min":0.5,"max":90,"mean":31.5,"median":4,"p50":4,"p75":47,"p90":72.8,"p95":81.4,)"
    R"("p99":88.28,"p99_9":89.828,"stddev":50.25},)"
    R"("throughput_mbps":{"count":3,"min":0.125,"max":22.5,"mean":7.875,"median":1,"p50":1,"p75":11.75,"p90":18.2,)"
    R"("p95":20.35,"p99":22.07,"p99_9":22.457,"stddev":12.5625},)"
    R"("object_size_bytes":{"min":1024,"max":2097152,"mean":1048576.5,"total":4194306},)"
    R"("request_rate":{"rps":0.4,"rpm":24})";

TEST(SummaryJsonTest, GoldenDocument) {
  RunSummary summary = sample_summary();
  summary.dropped = {{"jsonl", {{"disk_full", 2}}}, {"socket", {{"no_daemon", 5}, {"queue_full", 1}}}};
  summary.windows.push_back({*summary.start_time, 10, "upload", "s3", sample_group()});
  std::string text;
  render_summary_json(text, summary, JsonWriter::Style::compact);
  const std::string group(kGroup);
  EXPECT_EQ(text, R"({"schema_version":1,"method":"exact","test_run_id":"run-1","test_name":"nightly",)"
                  R"("start_time":"2026-01-01T00:00:00.000000Z","end_time":"2026-01-01T00:00:10.000000Z",)"
                  R"("duration_seconds":10,)"
                  R"("operations":{"total":4,"successful":3,"failed":1,"success_rate":75},)"
                  R"("dropped":{"jsonl":{"disk_full":2},"socket":{"no_daemon":5,"queue_full":1}},)"
                  R"("overall":{)" +
                      group + R"(},"by_operation":{"upload":{)" + group +
                      R"(}},"errors":{"total":1,"by_code":{"SlowDown":1}},)"
                      R"("windows":[{"window_start":"2026-01-01T00:00:00.000000Z","window_seconds":10,)"
                      R"("operation_type":"upload","workload_type":"s3",)" +
                      group + "}]}");
}

TEST(SummaryJsonTest, PrettyAndCompactSayTheSame) {
  const RunSummary summary = sample_summary();
  EXPECT_EQ(document_of(summary, JsonWriter::Style::pretty),
            document_of(summary, JsonWriter::Style::compact));
}

TEST(SummaryJsonTest, NothingIsNull) {
  const boost::json::value document = document_of(RunSummary());
  EXPECT_TRUE(document.at("start_time").is_null());
  EXPECT_TRUE(document.at("end_time").is_null());
  EXPECT_TRUE(document.at("operations").at("success_rate").is_null());
  const boost::json::value& group = document.at("overall");
  EXPECT_THAT(keys_of(group), ElementsAre("operations", "duration_ms", "throughput_mbps", "object_size_bytes",
                                          "request_rate"));
  EXPECT_TRUE(group.at("duration_ms").is_null());
  EXPECT_TRUE(group.at("throughput_mbps").is_null());
  EXPECT_TRUE(group.at("object_size_bytes").is_null());
  EXPECT_TRUE(group.at("request_rate").at("rps").is_null());
  EXPECT_TRUE(group.at("request_rate").at("rpm").is_null());
  EXPECT_TRUE(document.at("windows").as_array().empty());
}

TEST(SummaryJsonTest, ResponseTimesOnlyWhereKnown) {
  RunSummary summary = sample_summary();
  EXPECT_FALSE(document_of(summary).at("overall").as_object().contains("response_time_ms"));
  summary.overall.response_time_ms = sample_statistics(2);
  EXPECT_EQ(document_of(summary).at("overall").at("response_time_ms").at("max").to_number<int>(), 180);
}

TEST(SummaryJsonTest, ALiveSummarySaysHowExactItIs) {
  RunSummary summary = sample_summary();
  summary.method = SummaryMethod::exponential_histogram;
  const boost::json::value document = document_of(summary);
  EXPECT_EQ(document.at("method").as_string(), "exponential_histogram");
  EXPECT_EQ(document.at("relative_error").as_double(), 0.0014);
  EXPECT_FALSE(document.as_object().contains("windows"));
  EXPECT_THAT(keys_of(document.at("by_operation").at("upload")),
              ElementsAre("operations", "duration_ms", "object_size_bytes", "request_rate"));
}

TEST(SummaryJsonTest, TextFromOutsideStaysText) {
  RunSummary summary = sample_summary();
  summary.test_name = "a \"name\"\n";
  summary.errors_by_code = {{"\\", 1}, {"\"}", 2}};
  const boost::json::value document = document_of(summary);
  EXPECT_EQ(document.at("test_name").as_string(), summary.test_name);
  EXPECT_EQ(document.at("errors").at("by_code").at("\"}").to_number<int>(), 2);
}

}  // namespace
}  // namespace metricsd::exporters
