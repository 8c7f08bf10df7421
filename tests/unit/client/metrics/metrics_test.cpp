// Metrics of one's own through the public header: what a daemon is told of them, and what handles do when
// there is nothing behind them.
#include "support/fake_daemon.h"

#include <metricsd/client/collector.h>
#include <metricsd/support/sanitized.h>
#include <metricsd/support/temporary_directory.h>

#include <array>
#include <cstdlib>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

using testing::Answers;
using testing::eventually;
using testing::FakeDaemon;

constexpr std::uint64_t kMost = std::uint64_t{1} << 53;

class MetricsTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path socket() const { return directory_.path() / "m.sock"; }
  [[nodiscard]] RunOptions options() const {
    return {.exports = {},
            .write_files = false,
            .join_from_environment = false,
            .socket = socket().string(),
            .finish_timeout = std::chrono::seconds(60)};
  }
  // Of the one counter that was told of.
  static double total(const FakeDaemon& daemon) {
    double sum = 0;
    for (const ipc::Sample& sample : daemon.samples()) {
      if (!sample.values.empty()) sum += sample.values.front();
    }
    return sum;
  }

  support::TemporaryDirectory directory_;
};

TEST_F(MetricsTest, AreDefinedAndTold) {
  Collector run(options());
  Counter requests = run.counter(
      {.name = "requests_total", .help = "Requests", .labels = {{"method", "get"}, {"code", "200"}}});
  Gauge depth = run.gauge({.name = "depth", .merge = GaugeMerge::max});
  Histogram wait = run.histogram({.name = "wait", .unit = "seconds", .bounds = {0.001, 1}});
  ASSERT_TRUE(requests);
  ASSERT_TRUE(depth);
  ASSERT_TRUE(wait);
  requests.add();
  requests.add(2);
  requests.add(0.5F);
  depth.set(12);
  depth.add(-1.5);
  for (const double value : {0.0, 0.001, 0.5, 7.0}) wait.observe(value);
  FakeDaemon daemon(socket());  // only now: all is told at once
  const Report report = run.finish();
  EXPECT_THAT(report.warnings, ::testing::IsEmpty());
  EXPECT_THAT(
      daemon.of_type("define"),
      ::testing::UnorderedElementsAre(
          R"({"type":"define","id":0,"name":"requests_total","kind":"counter","help":"Requests","labels":["code","method"]})",
          R"({"type":"define","id":1,"name":"depth","kind":"gauge","labels":[],"merge":"max"})",
          R"({"type":"define","id":2,"name":"wait_seconds","kind":"histogram","unit":"seconds","labels":[],"bounds":[0.001,1]})"));
  const std::vector<ipc::Sample> samples = daemon.samples();
  ASSERT_EQ(samples.size(), 3U);
  EXPECT_EQ(samples[0].labels, (LabelValues{"200", "get"}));
  EXPECT_EQ(samples[0].values, std::vector<double>{3.5});
  EXPECT_EQ(samples[1].values, std::vector<double>{10.5});
  ASSERT_TRUE(samples[2].delta);
  EXPECT_EQ(samples[2].delta->buckets, (std::vector<std::uint64_t>{2, 1, 1}));
  EXPECT_EQ(samples[2].delta->sum, 7.501);
}

TEST_F(MetricsTest, AreToldWhileTheRunGoesOn) {
  FakeDaemon daemon(socket());
  Collector run(options());
  Counter requests = run.counter({.name = "requests"});
  for (int i = 1; i <= 2; ++i) {
    requests.add();
    ASSERT_TRUE(eventually([&] { return total(daemon) == i; }));
  }
}

TEST_F(MetricsTest, ACounterThatCountsNothingIsThere) {
  FakeDaemon daemon(socket());
  Collector run(options());
  const Counter errors = run.counter({.name = "errors"});
  EXPECT_TRUE(eventually([&] { return daemon.samples().size() == 1; }));
  EXPECT_EQ(total(daemon), 0);
  errors.add(0);
  EXPECT_THAT(run.finish().warnings, ::testing::IsEmpty());
  EXPECT_EQ(daemon.samples().size(), 1U);
}

TEST_F(MetricsTest, WaitForADaemonThatComesLaterAndSurviveOneThatGoes) {
  Collector run(options());
  Counter requests = run.counter({.name = "requests"});
  Gauge depth = run.gauge({.name = "depth"});
  depth.set(0.5);
  requests.add(10);
  {
    FakeDaemon daemon(socket());
    ASSERT_TRUE(eventually([&] { return daemon.samples().size() == 2; }));
    EXPECT_EQ(total(daemon), 10.5);
  }
  requests.add(20);
  FakeDaemon daemon(socket());
  ASSERT_TRUE(eventually([&] { return total(daemon) == 20.5; }));
  EXPECT_EQ(daemon.of_type("define").size(), 2U);
  EXPECT_THAT(run.finish().warnings, ::testing::IsEmpty());
}

TEST_F(MetricsTest, WhatIsNotAcknowledgedGoesToTheNextDaemon) {
  auto first = std::make_unique<FakeDaemon>(socket(), true, Answers::welcome);
  Collector run(options());
  Counter requests = run.counter({.name = "requests"});
  requests.add(10);
  ASSERT_TRUE(eventually([&] { return total(*first) == 10; }));
  first.reset();
  FakeDaemon second(socket());
  EXPECT_TRUE(eventually([&] { return total(second) == 10; }));
  EXPECT_THAT(run.finish().warnings, ::testing::IsEmpty());
}

TEST_F(MetricsTest, WithoutADaemonTheReportSaysWhatWasUntold) {
  Collector run(options());
  run.counter({.name = "requests"}).add(10);
  const Report report = run.finish();
  EXPECT_THAT(report.warnings, ::testing::ElementsAre(::testing::HasSubstr("1 samples went nowhere")));
}

TEST_F(MetricsTest, ThatCannotBeAreInert) {
  Collector run(options());
  ASSERT_TRUE(run.counter({.name = "requests"}));
  Gauge conflicting = run.gauge({.name = "requests"});
  Counter misnamed = run.counter({.name = "no spaces"});
  EXPECT_FALSE(conflicting);
  EXPECT_FALSE(misnamed);
  conflicting.set(1);
  conflicting.add(1);
  misnamed.add(1);
  Histogram().observe(1);
  Counter().add(0.5);
  EXPECT_THAT(run.finish().warnings,
              ::testing::ElementsAre(::testing::HasSubstr("requests"), ::testing::HasSubstr("no spaces")));
}

TEST_F(MetricsTest, RefusedValuesAreCounted) {
  FakeDaemon daemon(socket());
  Collector run(options());
  Counter counter = run.counter({.name = "c"});
  Gauge gauge = run.gauge({.name = "g"});
  Histogram histogram = run.histogram({.name = "h"});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  counter.add(-1);
  counter.add(-0.5);
  counter.add(nan);
  counter.add(1e300);
  counter.add(std::size_t{1} - std::size_t{2});  // what a difference of sizes comes to where it is negative
  counter.add(kMost + 1);
  gauge.set(infinity);
  gauge.add(nan);
  histogram.observe(-1);
  histogram.observe(infinity);
  EXPECT_THAT(run.finish().warnings,
              ::testing::ElementsAre(::testing::HasSubstr("10 values of metrics were refused")));
  EXPECT_EQ(total(daemon), 0);
  EXPECT_LE(daemon.samples().size(), 1U);  // that there is a counter
}

TEST_F(MetricsTest, TheLargestAmountIsTaken) {
  FakeDaemon daemon(socket());
  Collector run(options());
  Counter counter = run.counter({.name = "c"});
  counter.add(kMost);
  EXPECT_TRUE(eventually([&] { return total(daemon) == static_cast<double>(kMost); }));  // in two rows
  EXPECT_THAT(run.finish().warnings, ::testing::IsEmpty());
}

TEST_F(MetricsTest, HandlesMayOutliveTheirCollector) {
  std::optional<Collector> run(std::in_place, options());
  Counter counter = run->counter({.name = "c"});
  Gauge gauge = run->gauge({.name = "g"});
  Histogram histogram = run->histogram({.name = "h"});
  const auto use = [=] {
    counter.add(1);
    counter.add(1.5);
    gauge.set(1);
    histogram.observe(1);
    histogram.observe(1e30);
  };
  use();
  run->finish();
  use();
  run.reset();
  use();
  std::thread(use).join();
  Collector next(options());
  next.counter({.name = "c"}).add(1);
  use();
}

TEST_F(MetricsTest, AChildsAreItsOwn) {
  if (METRICSD_SANITIZED != 0)
    GTEST_SKIP() << "the sanitizers allow no thread in the child of a process with threads";
  FakeDaemon daemon(socket());
  Collector run(options());
  Counter counter = run.counter({.name = "c"});
  Histogram histogram = run.histogram({.name = "h"});
  counter.add(1);
  const pid_t child = ::fork();
  if (child == 0) {
    counter.add(100);
    histogram.observe(1);
    std::thread([&] { counter.add(100); }).join();
    Counter inert = run.counter({.name = "d"});
    inert.add(1);
    ::_exit(inert ? EXIT_FAILURE : EXIT_SUCCESS);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  run.finish();
  EXPECT_EQ(total(daemon), 1);
}

TEST_F(MetricsTest, GaugesTakeEveryThreadsAdditions) {
  FakeDaemon daemon(socket());
  Collector run(options());
  Gauge depth = run.gauge({.name = "depth"});
  std::array<std::thread, 4> threads;
  for (std::thread& thread : threads) {
    thread = std::thread([depth] {
      for (int i = 0; i < 10'000; ++i) depth.add(1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  run.finish();
  EXPECT_EQ(daemon.samples().back().values.front(), 40'000);
}

}  // namespace
}  // namespace metricsd::client
