// What workloads count of their own stands in the scrape, exactly, whoever counts and in how many processes.

#include <metricsd/client/collector.h>
#include <metricsd/support/daemon_process.h>

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::support {
namespace {

client::RunOptions options(const DaemonProcess& daemon) {
  return {.exports = {},
          .write_files = false,
          .join_from_environment = false,
          .socket = daemon.socket().string(),
          .finish_timeout = std::chrono::seconds(60)};
}

TEST(OwnMetrics, StandInTheScrape) {
  constexpr int kRuns = 3;
  constexpr int kThreads = 4;
  constexpr int kValues = 20'000;
  const DaemonProcess daemon;
  for (int i = 0; i < kRuns; ++i) {
    client::Collector run(options(daemon));
    const client::Counter requests = run.counter({.name = "requests", .labels = {{"method", "get"}}});
    const client::Histogram wait = run.histogram({.name = "wait", .unit = "seconds", .bounds = {0.5, 1}});
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([=] {
        for (int n = 0; n < kValues; ++n) {
          requests.add();
          wait.observe(0.25 * (n % 8));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(run.finish().dropped.empty());
  }
  constexpr double kAll = kRuns * kThreads * kValues;
  EXPECT_TRUE(eventually([&] { return daemon.scrape().sum("wait_seconds_count") >= kAll; }));
  const ExpositionPage page = daemon.scrape();
  EXPECT_EQ(page.value("requests_total", {{"method", "get"}}), kAll);
  EXPECT_EQ(page.value("wait_seconds_bucket", {{"le", "0.5"}}), kAll * 3 / 8);
  EXPECT_EQ(page.value("wait_seconds_bucket", {{"le", "1"}}), kAll * 5 / 8);
  EXPECT_EQ(page.value("wait_seconds_count"), kAll);
  EXPECT_EQ(page.value("wait_seconds_sum"), kAll * 0.25 * 3.5);
  for (const char* reason : {"out_of_range", "undefined_metric", "wrong_type", "conflicting_definition"}) {
    EXPECT_EQ(page.sum("metricsd_rejected_total", {{"reason", reason}}), 0) << reason;
  }
}

TEST(OwnMetrics, AGaugeGoesWithItsProcess) {
  const DaemonProcess daemon;
  client::Collector run(options(daemon));
  client::Collector other(options(daemon));
  run.gauge({.name = "depth", .merge = client::GaugeMerge::max}).set(3);
  other.gauge({.name = "depth", .merge = client::GaugeMerge::max}).set(5);
  EXPECT_TRUE(eventually([&] { return daemon.scrape().value("depth") == 5; }));
  other.finish();
  EXPECT_TRUE(eventually([&] { return daemon.scrape().value("depth") == 3; }));
  run.finish();
  EXPECT_TRUE(eventually([&] { return !daemon.scrape().value("depth"); }));
}

}  // namespace
}  // namespace metricsd::support
