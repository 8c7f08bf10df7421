// Whatever arrives on the socket is refused with a reason, one by one, and the scrape still parses.

#include <metricsd/models/limits.h>
#include <metricsd/support/daemon_process.h>

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::support {
namespace {

const std::string kGood = R"({"operation_type":"upload","duration_ms":1,"success":true})";

std::string with(const std::string& field) {
  return R"({"operation_type":"upload","success":true,)" + field + "}";
}

std::string nested(int depth) {
  std::string text = R"({"operation_type":"upload","duration_ms":1,"success":true,"metadata":)";
  for (int i = 0; i < depth; ++i) text += R"({"a":)";
  text += "1";
  return text + std::string(static_cast<std::size_t>(depth), '}') + "}";
}

// Sends the lines and closes; true when all of them have been dealt with.
bool send_and_settle(const DaemonProcess& daemon, const std::string& bytes) {
  const double before = daemon.scrape().value("metricsd_ingest_bytes_total").value_or(0);
  Socket socket = daemon.connect();
  if (!socket.send(bytes)) return false;
  socket.close();
  return eventually([&] {
    const ExpositionPage page = daemon.scrape();
    return page.value("metricsd_ingest_bytes_total") == before + static_cast<double>(bytes.size()) &&
           page.value("metricsd_connections") == 0;
  });
}

TEST(Lines, EveryHostileOneIsRefusedWithItsReasonAndNothingElse) {
  const std::vector<std::pair<std::string, std::string>> hostile{
      {"{", "malformed_json"},
      {"nonsense", "malformed_json"},
      {kGood + "x", "malformed_json"},
      {"[1,2]", "not_an_object"},
      {"42", "not_an_object"},
      {nested(40), "too_deep"},
      {with(R"("duration_ms":NaN)"), "malformed_json"},
      {with(R"("duration_ms":1e400)"), "out_of_range"},
      {with(R"("duration_ms":-1)"), "out_of_range"},
      {with(R"("duration_ms":1e10)"), "out_of_range"},
      {with(R"("duration_ms":"112")"), "wrong_type"},
      {with(R"("duration_ms":1,"duration_ms":1)"), "duplicate_field"},
      {with(R"("duration_ms":1,"object_size_bytes":9223372036854775808)"), "out_of_range"},
      {with(R"("duration_ms":1,"object_size_bytes":1.5)"), "out_of_range"},
      {with(R"("duration_ms":1,"retry_count":-1)"), "out_of_range"},
      {with(R"("duration_ms":1,"driver":")" + std::string(1000, 'x') + "\""), "too_long"},
      {with(R"("timestamp_start":"yesterday","timestamp_end":"today")"), "invalid_timestamp"},
      {with(R"("timestamp_start":"2026-01-01T00:00:01Z","timestamp_end":"2026-01-01T00:00:00Z")"),
       "end_before_start"},
      {R"({"operation_type":"upload","success":true})", "missing_field"},
      {R"({"duration_ms":1,"success":true})", "missing_field"},
      {R"({"operation_type":"a b","duration_ms":1,"success":true})", "invalid_characters"},
      {R"({"type":"teapot"})", "unknown_type"},
      {R"({"type":"samples","rows":[[5,[],1]]})", "undefined_metric"},
      {R"({"type":"run_end","test_run_id":"never"})", "run_not_found"}};
  const DaemonProcess daemon;
  for (const auto& [line, reason] : hostile) {
    const ExpositionPage before = daemon.scrape();
    ASSERT_TRUE(send_and_settle(daemon, kGood + "\n" + line + "\n" + kGood + "\n")) << line;
    const ExpositionPage after = daemon.scrape();
    EXPECT_EQ(after.sum("metricsd_rejected_total") - before.sum("metricsd_rejected_total"), 1) << line;
    EXPECT_EQ(after.sum("metricsd_rejected_total", {{"reason", reason}}) -
                  before.sum("metricsd_rejected_total", {{"reason", reason}}),
              1)
        << line;
    EXPECT_EQ(after.sum("workload_operations_total") - before.sum("workload_operations_total"), 2) << line;
  }
}

TEST(Lines, BytesThatAreNoTextAreRefused) {
  const DaemonProcess daemon;
  const std::vector<std::string> bad{with("\"duration_ms\":1,\"driver\":\"\xff\xfe\""),
                                     with("\"duration_ms\":1,\"driver\":\"\xed\xa0\x80\""),
                                     with(R"("duration_ms":1,"driver":"\ud800")"), std::string("\0\0\0", 3)};
  std::string bytes;
  for (const std::string& line : bad) bytes += line + "\n";
  ASSERT_TRUE(send_and_settle(daemon, bytes + kGood + "\n"));
  EXPECT_EQ(daemon.scrape().sum("metricsd_rejected_total"), static_cast<double>(bad.size()));
  EXPECT_EQ(daemon.scrape().sum("workload_operations_total"), 1);
}

TEST(Lines, AnEndlessLineIsSkippedInConstantMemoryAndTheNextOneTaken) {
  const DaemonProcess daemon;
  const double before = daemon.scrape().value("process_resident_memory_bytes").value();
  std::string bytes(std::size_t{64} << 20, 'x');
  bytes += "\n" + kGood + "\n";
  ASSERT_TRUE(send_and_settle(daemon, bytes));
  const ExpositionPage page = daemon.scrape();
  EXPECT_EQ(page.sum("metricsd_rejected_total", {{"reason", "line_too_long"}}), 1);
  EXPECT_EQ(page.sum("workload_operations_total"), 1);
  EXPECT_LT(page.value("process_resident_memory_bytes").value() - before, 16.0 * (1 << 20));
}

TEST(Lines, HostileLabelsStayLabels) {
  const DaemonProcess daemon;
  const std::string bytes = with(R"("duration_ms":1,"driver":"a\nb\"c\\d{}=,# HELP x\u0001")") + "\n" +
                            with(R"("duration_ms":1,"driver":"le")") + "\n" +
                            with(R"("duration_ms":1,"driver":"ü€😀")") + "\n";
  ASSERT_TRUE(send_and_settle(daemon, bytes));
  const ExpositionPage page = daemon.scrape();
  EXPECT_EQ(page.sum("workload_operations_total", {{"driver", "a\nb\"c\\d{}=,# HELP x\x01"}}), 1);
  EXPECT_EQ(page.sum("workload_operations_total", {{"driver", "le"}}), 1);
  EXPECT_EQ(page.sum("workload_operations_total", {{"driver", "ü€😀"}}), 1);
}

TEST(Lines, HostileDefinitionsAreRefusedAndTheScrapeParses) {
  const DaemonProcess daemon;
  const auto define = [](int id, const std::string& name, const std::string& rest) {
    return R"({"type":"define","id":)" + std::to_string(id) + R"(,"name":")" + name + R"(",)" + rest + "}\n";
  };
  std::string bytes;
  bytes += define(1, "bad name", R"("kind":"counter")");
  bytes += define(2, "labels", R"("kind":"counter","labels":["__name__"])");
  bytes += define(3, "labels", R"("kind":"histogram","labels":["le"],"bounds":[1])");
  bytes += define(4, "metricsd_series", R"("kind":"gauge")");
  bytes += define(5, "workload_operations_total", R"("kind":"counter")");
  bytes += define(6, "bounds", R"("kind":"histogram","bounds":[2,1])");
  const double refused = 6;
  bytes += define(7, "fine", R"("kind":"gauge","help":"A \"line\"\nand another \\ one")");
  bytes += R"({"type":"samples","rows":[[7,[],1.5]]})"
           "\n";
  ASSERT_TRUE(send_and_settle(daemon, bytes));
  EXPECT_EQ(daemon.scrape().sum("metricsd_rejected_total"), refused) << daemon.status();
}

TEST(Lines, TooManyLabelValuesFoldAndTheStatusNamesTheLabel) {
  const DaemonProcess daemon({.flags = {"--metrics.max-series", "100"}});
  std::string bytes;
  for (int i = 0; i < 5000; ++i) {
    bytes += with(R"("duration_ms":1,"driver":"d)" + std::to_string(i) + "\"") + "\n";
  }
  ASSERT_TRUE(send_and_settle(daemon, bytes));
  const ExpositionPage page = daemon.scrape();
  EXPECT_EQ(page.sum("workload_operations_total"), 5000);
  EXPECT_EQ(page.sum("workload_operations_total", {{"driver", "__overflow__"}, {"status", "success"}}), 4900);
  EXPECT_GT(page.value("metricsd_series_overflow_total"), 0);
  EXPECT_NE(daemon.status().find(R"("exploded_label":"driver")"), std::string::npos);
}

TEST(Lines, ASenderKilledAtAnyByteCostsAtMostItsLastLine) {
  const DaemonProcess daemon;
  const std::string line = kGood + "\n";
  for (std::size_t cut = 0; cut <= line.size(); ++cut) {
    Socket socket = daemon.connect();
    ASSERT_TRUE(socket.send(line + line.substr(0, cut)));
  }
  const double sent = static_cast<double>(line.size() + 1);
  EXPECT_TRUE(eventually([&] {
    const ExpositionPage page = daemon.scrape();
    return page.sum("workload_operations_total") == sent + 1 && page.value("metricsd_connections") == 0;
  }));
  EXPECT_EQ(daemon.scrape().sum("metricsd_rejected_total", {{"reason", "half_line"}}), sent - 2);
}

TEST(Lines, AHalfLineMayTakeAsLongAsItLikes) {
  const DaemonProcess daemon;
  Socket slow = daemon.connect();
  Socket other = daemon.connect();
  int others = 0;
  for (const char byte : kGood) {
    ASSERT_TRUE(slow.send(std::string(1, byte)));
    if (byte != ',') continue;
    ASSERT_TRUE(other.send(kGood + "\n"));
    ++others;
    EXPECT_TRUE(eventually([&] { return daemon.scrape().sum("workload_operations_total") == others; }));
  }
  ASSERT_TRUE(slow.send("\n"));
  EXPECT_TRUE(eventually([&] { return daemon.scrape().sum("workload_operations_total") == others + 1; }));
}

}  // namespace
}  // namespace metricsd::support
