// What is sent is counted, exactly and soon, whoever else is sending.

#include <metricsd/models/json/document.h>
#include <metricsd/support/daemon_process.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace metricsd::support {
namespace {

// As a program that knows nothing of us writes them: naive timestamps, fields of its own, spaces after
// colons.
std::string plain_line(int sender, int number) {
  return R"({"operation_id": "s)" + std::to_string(sender) + "-" + std::to_string(number) +
         R"(", "timestamp_start": "2026-01-01 10:00:00.000", "timestamp_end": "2026-01-01 10:00:00.250", )" +
         R"("success": )" + (number % 10 == 0 ? "false" : "true") + R"(, "driver": "d)" +
         std::to_string(sender) +
         R"(", "object_size_bytes": 100, "operation_type": "upload", "colour": "blue"})" + "\n";
}

class Counting : public ::testing::TestWithParam<int> {};

TEST_P(Counting, SixteenSendersAreCountedToTheLastLine) {
  constexpr int kSenders = 16;
  constexpr int kLines = 2000;
  const DaemonProcess daemon({.flags = {"--ingest.threads", std::to_string(GetParam())}});
  std::vector<std::thread> senders;
  for (int sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&daemon, sender] {
      Socket socket = daemon.connect();
      for (int i = 0; i < kLines; ++i) ASSERT_TRUE(socket.send(plain_line(sender, i)));
    });
  }
  for (std::thread& sender : senders) sender.join();

  constexpr double kAll = kSenders * kLines;
  EXPECT_TRUE(eventually([&] { return daemon.scrape().sum("metricsd_ingest_operations_total") >= kAll; }));
  const ExpositionPage page = daemon.scrape();
  EXPECT_EQ(page.sum("workload_operations_total"), kAll);
  EXPECT_EQ(page.sum("workload_operations_total", {{"status", "failure"}}), kAll / 10);
  EXPECT_EQ(page.sum("workload_operation_duration_seconds_count"), kAll);
  EXPECT_EQ(page.sum("workload_bytes_transferred_total"), kAll * 0.9 * 100);
  EXPECT_EQ(page.sum("metricsd_unknown_fields_total"), kAll);
  EXPECT_EQ(page.sum("metricsd_rejected_total"), 0);
  for (int sender = 0; sender < kSenders; ++sender) {
    EXPECT_EQ(page.sum("workload_operations_total", {{"driver", "d" + std::to_string(sender)}}), kLines);
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, Counting, ::testing::Values(1, 4));

// The firehose never stops; each slow sender must still see its operation counted before it sends the next.
TEST(CountingBesideAFirehose, SlowSendersAreCountedAsTheyGo) {
  const DaemonProcess daemon;
  std::atomic<bool> stop = false;
  std::thread firehose([&] {
    Socket socket = daemon.connect();
    std::string block;
    for (int i = 0; i < 500; ++i) block += plain_line(99, i);
    while (!stop && socket.send(block)) {
    }
  });

  std::vector<Socket> slow;
  for (int i = 0; i < 16; ++i) slow.push_back(daemon.connect());
  for (int round = 1; round <= 3; ++round) {
    for (int sender = 0; sender < 16; ++sender) {
      EXPECT_TRUE(slow[static_cast<std::size_t>(sender)].send(plain_line(sender, round)));
    }
    EXPECT_TRUE(eventually([&] {
      const ExpositionPage page = daemon.scrape();
      for (int sender = 0; sender < 16; ++sender) {
        const std::string driver = "d" + std::to_string(sender);
        if (page.sum("workload_operations_total", {{"driver", driver}}) != round) return false;
      }
      return true;
    }));
  }
  stop = true;
  firehose.join();
}

TEST(CountingRuns, UsersRunsAndOtherMetricsAreShownWhileTheirConnectionLives) {
  const DaemonProcess daemon({.flags = {"--ingest.threads", "2", "--metrics.namespace", "chopsticks"}});
  Socket first = daemon.connect();
  Socket second = daemon.connect();  // on the other shard
  const std::string start =
      R"({"type":"run_start","run":{"test_run_id":"r1","test_name":"nightly","scenario":"mix","driver":"boto"}})"
      "\n";
  for (Socket* socket : {&first, &second}) {
    socket->send(start + R"({"type":"users","count":5})" + "\n" +
                 R"({"operation_type":"get","duration_ms":3,"success":true})" + "\n");
  }
  const ExpositionLabels info{
      {"test_run_id", "r1"}, {"test_name", "nightly"}, {"scenario", "mix"}, {"driver", "boto"}};
  EXPECT_TRUE(eventually([&] { return daemon.scrape().sum("chopsticks_operations_total") == 2; }));
  EXPECT_EQ(daemon.scrape().value("chopsticks_run_info", info), 1);
  EXPECT_EQ(daemon.scrape().sum("chopsticks_active_users", {{"scenario", "mix"}}), 10);

  const auto summary = parse_json(daemon.get("/api/v1/summary?run=r1").body);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->at("method").as_string(), "exponential_histogram");
  EXPECT_EQ(summary->at("operations").at("total").to_number<int>(), 2);
  EXPECT_EQ(summary->at("by_operation").at("get").at("duration_ms").at("p50").to_number<double>(), 3);
  const auto runs = parse_json(daemon.get("/api/v1/runs").body);
  ASSERT_TRUE(runs);
  EXPECT_EQ(runs->at("runs").at(0).at("connections").to_number<int>(), 2);
  EXPECT_EQ(daemon.get("/api/v1/summary?run=nobody").status, 404);

  first.close();
  EXPECT_TRUE(eventually([&] { return daemon.scrape().sum("chopsticks_active_users") == 5; }));
  EXPECT_EQ(daemon.scrape().value("chopsticks_run_info", info), 1);
  second.send(R"({"type":"run_end","test_run_id":"r1"})"
              "\n");
  EXPECT_TRUE(eventually([&] { return !daemon.scrape().value("chopsticks_run_info", info); }));
}

TEST(CountingRuns, SeriesThatAreIdleGoFromAllShards) {
  const DaemonProcess daemon({.flags = {"--ingest.threads", "2", "--metrics.series-expiry", "1s"}});
  Socket first = daemon.connect();
  Socket second = daemon.connect();
  for (Socket* socket : {&first, &second}) {
    socket->send(R"({"operation_type":"get","duration_ms":3,"success":true})"
                 "\n");
  }
  EXPECT_TRUE(eventually([&] { return daemon.scrape().sum("metricsd_ingest_operations_total") == 2; }));
  // A series counts as held until the last shard lets it go.
  EXPECT_TRUE(eventually([&] { return daemon.scrape().value("metricsd_series") == 0; }));
}

TEST(CountingRuns, SamplesOfDefinedFamiliesAreMergedOverShards) {
  const DaemonProcess daemon({.flags = {"--ingest.threads", "2"}});
  Socket first = daemon.connect();
  Socket second = daemon.connect();
  for (Socket* socket : {&first, &second}) {
    socket->send(
        R"({"type":"define","id":1,"name":"jobs","kind":"counter","help":"Jobs.","labels":["queue"]})"
        "\n"
        R"({"type":"samples","rows":[[1,["a"],2],[1,["b"],1]]})"
        "\n");
  }
  EXPECT_TRUE(eventually([&] {
    return daemon.scrape().value("jobs_total", {{"queue", "a"}}) == 4;
  })) << daemon.status();
  EXPECT_EQ(daemon.scrape().value("jobs_total", {{"queue", "b"}}), 2);
}

}  // namespace
}  // namespace metricsd::support
