// Scrapes of many series while operations stream in: every page is sound, and none is missed or counted
// twice.

#include <metricsd/support/daemon_process.h>
#include <metricsd/support/sanitized.h>

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::support {
namespace {

constexpr int kTypes = METRICSD_SANITIZED != 0 ? 500 : 2500;  // enough to be copied in several slices
constexpr int kSenders = 2;
constexpr int kRounds = 6;

std::string line(int sender, int type) {
  return R"({"timestamp_start":"2026-01-01T10:00:00Z","duration_ms":)" + std::to_string(type % 977) +
         R"(.25,"operation_type":"type-)" + std::to_string(type) + R"(","driver":"d)" +
         std::to_string(sender) + R"(","object_size_bytes":100,"success":true})" + "\n";
}

void send_all(const DaemonProcess& daemon, int sender) {
  Socket socket = daemon.connect();
  for (int round = 0; round < kRounds; ++round) {
    std::string block;
    for (int type = 0; type < kTypes; ++type) {
      block += line(sender, type);
      if (block.size() < 50'000) continue;
      ASSERT_TRUE(socket.send(block));
      block.clear();
    }
    ASSERT_TRUE(socket.send(block));
  }
}

class ScrapeDuringIngest : public testing::TestWithParam<int> {};

TEST_P(ScrapeDuringIngest, EveryPageIsSoundAndTheLastOneExact) {
  const DaemonProcess daemon({.flags = {"--ingest.threads", std::to_string(GetParam())}});
  std::vector<std::jthread> senders;  // joined also where a scrape throws
  for (int sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&daemon, sender] { send_all(daemon, sender); });
  }
  // A scrape is parsed strictly: each series once, each histogram's buckets as many as its count.
  constexpr double kAll = kTypes * kSenders * kRounds;
  double seen = 0;
  EXPECT_TRUE(eventually([&] {
    const double now = daemon.scrape().sum("workload_operations_total");
    EXPECT_GE(now, seen);
    seen = now;
    return seen >= kAll;
  }));
  for (std::jthread& sender : senders) sender.join();

  const ExpositionPage page = daemon.scrape();
  EXPECT_EQ(page.sum("workload_operations_total"), kAll);
  EXPECT_EQ(page.sum("workload_operation_duration_seconds_count"), kAll);
  EXPECT_EQ(page.family("workload_operations_total")->samples.size(), kTypes * kSenders);
  EXPECT_EQ(page.sum("workload_operations_total", {{"operation", "type-123"}, {"driver", "d1"}}), kRounds);
}

INSTANTIATE_TEST_SUITE_P(Threads, ScrapeDuringIngest, testing::Values(1, 2));

}  // namespace
}  // namespace metricsd::support
