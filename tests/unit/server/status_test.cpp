#include "status.h"

#include <metricsd/models/json/document.h>

#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

TEST(Status, IsOneLineOfJson) {
  Status status;
  status.version = "1.2.3";
  status.pid = 77;
  status.ready = true;
  status.socket = "/run/\"odd\"\nname.sock";
  status.web = {"127.0.0.1:8090", "[::1]:8090"};
  status.metrics_namespace = "workload";
  status.data_dir = "none";
  status.totals.operations = 10;
  status.totals.rejected[Errc::half_line] = 2;
  status.totals.rejected[Errc::too_long] = 3;
  status.totals.dropped["socket"]["full"] = 4;
  status.ingest_threads = 2;
  status.series = 8;
  status.overflows = {{.family = "workload_operations_total",
                       .refused = 5,
                       .exploded_label = "driver",
                       .distinct_values = 99}};
  status.runs = 1;
  status.segments = {.segments = 3,
                     .records = 30,
                     .file_lines = 20,
                     .refused = 2,
                     .unfinished = 1,
                     .not_kept = 4,
                     .kept = 7};
  status.clients = {{.uid = 1000,
                     .pid = 4711,
                     .client_id = "abc",
                     .connected = true,
                     .records = {.emitted = 6, .folded = 3, .rejected = 2, .dropped = 1}}};
  status.known_clients = 1;

  std::string line;
  render_status_json(line, status);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto json = parse_json(line);
  ASSERT_TRUE(json) << line;
  EXPECT_EQ(json->at("pid").to_number<int>(), 77);
  EXPECT_TRUE(json->at("ready").as_bool());
  EXPECT_EQ(json->at("socket").as_string(), "/run/\"odd\"\nname.sock");
  EXPECT_EQ(json->at("web").as_array().size(), 2U);
  EXPECT_EQ(json->at("data_dir").as_string(), "none");
  EXPECT_EQ(json->at("ingest").at("operations").to_number<int>(), 10);
  EXPECT_EQ(json->at("ingest").at("rejected").at("half_line").to_number<int>(), 2);
  EXPECT_EQ(json->at("ingest").at("rejected_total").to_number<int>(), 5);
  EXPECT_EQ(json->at("dropped").at("socket").at("full").to_number<int>(), 4);
  const auto& segments = json->at("segments");
  EXPECT_EQ(segments.at("kept").to_number<int>(), 7);
  EXPECT_EQ(segments.at("delivered").to_number<int>(), 3);
  EXPECT_EQ(segments.at("records").to_number<int>(), 30);
  EXPECT_EQ(segments.at("file_lines").to_number<int>(), 20);
  EXPECT_EQ(segments.at("refused").to_number<int>(), 2);
  EXPECT_EQ(segments.at("unfinished").to_number<int>(), 1);
  EXPECT_EQ(segments.at("not_kept").to_number<int>(), 4);
  const auto& client = json->at("clients").at(0);
  EXPECT_EQ(client.at("uid").to_number<int>(), 1000);
  EXPECT_EQ(client.at("pid").to_number<int>(), 4711);
  EXPECT_EQ(client.at("client_id").as_string(), "abc");
  EXPECT_TRUE(client.at("connected").as_bool());
  EXPECT_EQ(client.at("emitted").to_number<int>(), 6);
  EXPECT_EQ(client.at("folded").to_number<int>(), 3);
  EXPECT_EQ(client.at("rejected").to_number<int>(), 2);
  EXPECT_EQ(client.at("dropped").to_number<int>(), 1);
  EXPECT_EQ(json->at("known_clients").to_number<int>(), 1);
  EXPECT_EQ(json->at("series").at("overflow").at(0).at("exploded_label").as_string(), "driver");
}

TEST(Status, HasAWordForHowDurableItIs) {
  const auto word = [](const std::optional<CheckpointFigures>& checkpoint) {
    Status status;
    status.checkpoint = checkpoint;
    std::string line;
    render_status_json(line, status);
    return std::string(parse_json(line)->at("durability").as_string());
  };
  EXPECT_EQ(word({}), "daemon");
  EXPECT_EQ(word(CheckpointFigures{}), "checkpoint");
  EXPECT_EQ(word(CheckpointFigures{.is_late = true, .error = {}}), "late");
  EXPECT_EQ(word(CheckpointFigures{.is_failing = true, .is_late = true, .error = {}}), "failing");
  EXPECT_EQ(word(CheckpointFigures{.is_failing = true, .is_shown_ahead = true, .error = {}}), "not_durable");
}

TEST(Status, SaysWhatIsDurableAndWhatWasRestored) {
  Status status;
  status.data_dir = "/state";
  status.store_id = "abc";
  status.checkpoint = CheckpointFigures{.is_failing = true,
                                        .error = "No space left on device",
                                        .age_ns = 2'500'000'000,
                                        .duration_ns = 4'000'000,
                                        .pause_ns = 1'000'000,
                                        .written = 5,
                                        .file_bytes = 6,
                                        .generation = 7,
                                        .failures = 8,
                                        .bad_files = 1};
  status.restored.files.source = Restored::Source::previous;
  status.restored.files.is_behind = true;
  status.restored.files.torn_bytes = 11;
  status.restored.files.damaged = {"checkpoint: damaged"};
  status.restored.saved_at = Timestamp{1'767'225'600 * kNsPerSecond};
  status.restored.series.series = 9;
  std::string line;
  render_status_json(line, status);
  const auto json = parse_json(line);
  ASSERT_TRUE(json) << line;
  EXPECT_EQ(json->at("durability").as_string(), "failing");
  EXPECT_EQ(json->at("store_id").as_string(), "abc");
  const auto& checkpoint = json->at("checkpoint");
  EXPECT_EQ(checkpoint.at("age_seconds").as_double(), 2.5);
  EXPECT_TRUE(checkpoint.at("failing").as_bool());
  EXPECT_FALSE(checkpoint.at("late").as_bool());
  EXPECT_FALSE(checkpoint.at("shown_ahead").as_bool());
  EXPECT_EQ(checkpoint.at("error").as_string(), "No space left on device");
  EXPECT_EQ(checkpoint.at("generation").to_number<int>(), 7);
  EXPECT_EQ(checkpoint.at("damaged_files").to_number<int>(), 1);
  const auto& restored = checkpoint.at("restored");
  EXPECT_EQ(restored.at("from").as_string(), "previous");
  EXPECT_EQ(restored.at("saved_at").as_string(), "2026-01-01T00:00:00.000000Z");
  EXPECT_EQ(restored.at("torn_bytes").to_number<int>(), 11);
  EXPECT_EQ(restored.at("series").to_number<int>(), 9);
  EXPECT_FALSE(restored.at("complete").as_bool());
  EXPECT_EQ(restored.at("damaged").as_array().size(), 1U);
}

}  // namespace
}  // namespace metricsd::server
