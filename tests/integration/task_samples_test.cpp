// A monitor's samples reach the daemon through the client library, also one that comes back.

#include <metricsd/client/collector.h>
#include <metricsd/models/json/document.h>
#include <metricsd/support/daemon_process.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::support {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

client::RunOptions options(const std::filesystem::path& socket) {
  return {.exports = {},
          .write_files = false,
          .join_from_environment = false,
          .socket = socket.string(),
          .finish_timeout = std::chrono::seconds(60)};
}

std::int64_t total(const DaemonProcess& daemon, const std::string& task) {
  const HttpAnswer answer = daemon.get("/api/v1/tasks/" + task + "/metrics");
  return answer.status == 200 ? parse_json(answer.body)->at("total").as_int64() : 0;
}

TEST(TaskSamples, AreShownAsTheyWereHandedOver) {
  const DaemonProcess daemon;
  client::Collector run(options(daemon.socket()));
  run.task_sample({.task_id = "t",
                   .metrics = R"({ "thread_count" : 3 })",
                   .aggregated = R"({"sample_count":1})",
                   .node = "host",
                   .pid = 7,
                   .interval = 0.5});
  ASSERT_TRUE(eventually([&] { return total(daemon, "t") == 1; }));
  EXPECT_THAT(daemon.get("/api/v1/processes").body,
              HasSubstr(R"("node":"host","role":"","pid":7,"connected":true,"interval":0.5)"));
  // The last ones are delivered by finish().
  constexpr int kLast = 200;
  for (int i = 0; i < kLast; ++i) {
    run.task_sample({.task_id = "last", .metrics = "{}", .role = "r", .history_size = 1000});
  }
  EXPECT_THAT(run.finish().warnings, IsEmpty());
  run.task_sample({.task_id = "late", .metrics = "{}"});
  EXPECT_TRUE(eventually([&] { return daemon.scrape().value("metricsd_task_samples_total") == kLast + 1; }));
  EXPECT_EQ(total(daemon, "late"), 0);
}

TEST(TaskSamples, GoOnWithTheDaemonThatComesNext) {
  const TemporaryDirectory directory;
  const DaemonOptions of_daemon{.flags = {"--data-dir", (directory.path() / "state").string()},
                                .socket = directory.path() / "metricsd.sock"};
  auto daemon = std::make_unique<DaemonProcess>(of_daemon);
  client::Collector run(options(of_daemon.socket));
  run.task_sample({.task_id = "t", .metrics = "{}"});
  ASSERT_TRUE(eventually([&] { return total(*daemon, "t") == 1; }));
  daemon->stop(SIGKILL);
  daemon = std::make_unique<DaemonProcess>(of_daemon);
  EXPECT_TRUE(eventually([&] {
    run.task_sample({.task_id = "t", .metrics = "{}"});
    return total(*daemon, "t") > 1;
  }));
  run.finish();
}

TEST(TaskSamples, WithoutADaemonTheNewestWait) {
  const TemporaryDirectory directory;
  const auto socket = directory.path() / "metricsd.sock";
  client::Collector run(options(socket));
  const std::string large = R"({"x":")" + std::string(8000, 'x') + R"("})";
  for (int i = 0; i < 100; ++i) {
    run.task_sample({.task_id = i < 50 ? "old" : "new" + std::to_string(i), .metrics = large});
  }
  const DaemonProcess daemon({.flags = {}, .socket = socket});
  EXPECT_TRUE(eventually([&] { return total(daemon, "new99") == 1; }));
  EXPECT_EQ(total(daemon, "old"), 0);
  EXPECT_THAT(run.finish().warnings, ElementsAre(HasSubstr("samples of tasks were dropped")));
}

TEST(TaskSamples, ThatNobodyWasThereForAreSaidOnceAndWhere) {
  const TemporaryDirectory directory;
  const auto socket = directory.path() / "metricsd.sock";
  client::Collector run(options(socket));
  run.task_sample({.task_id = "t", .metrics = "{}"});
  run.counter({.name = "jobs_total"}).add(1);
  EXPECT_THAT(run.finish().warnings,
              ElementsAre(AllOf(HasSubstr("2 samples went nowhere"), HasSubstr(socket.string()))));
}

TEST(TaskSamples, WhatBreaksARuleIsSaidAndNotSent) {
  const DaemonProcess daemon;
  client::Collector run(options(daemon.socket()));
  const std::string long_text(257, 'a');
  const std::string long_object = R"({"x":")" + std::string(9000, 'x') + R"("})";
  run.task_sample({.task_id = "", .metrics = "{}"});
  run.task_sample({.task_id = long_text, .metrics = "{}"});
  run.task_sample({.task_id = "t", .metrics = ""});
  run.task_sample({.task_id = "t", .metrics = "[]"});
  run.task_sample({.task_id = "t", .metrics = long_object});
  run.task_sample({.task_id = "t", .metrics = "{}", .aggregated = "x"});
  run.task_sample({.task_id = "t", .metrics = "{}", .role = "\xFF"});
  run.task_sample({.task_id = "t", .metrics = "{}", .history_size = 10'001});
  run.task_sample({.task_id = "t", .metrics = "{}", .interval = -1});
  run.task_sample({.task_id = "good", .metrics = "{}"});
  EXPECT_THAT(run.finish().warnings, ElementsAre(HasSubstr("9 samples of tasks break a rule")));
  EXPECT_TRUE(eventually([&] { return daemon.scrape().value("metricsd_task_samples_total") == 1; }));
  EXPECT_EQ(daemon.scrape().sum("metricsd_rejected_total"), 0);
}

TEST(TaskSamples, ComeFromAnyThread) {
  const DaemonProcess daemon;
  client::Collector run(options(daemon.socket()));
  constexpr int kThreads = 4;
  constexpr int kSamples = 50;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&run, thread] {
      const std::string role = std::to_string(thread);
      for (int i = 0; i < kSamples; ++i) run.task_sample({.task_id = "t", .metrics = "{}", .role = role});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(run.finish().warnings, IsEmpty());
  EXPECT_TRUE(eventually(
      [&] { return daemon.scrape().value("metricsd_task_samples_total") == kThreads * kSamples; }));
}

}  // namespace
}  // namespace metricsd::support
