// A monitor's samples reach the daemon through the client library, also one that comes back.

#include <metricsd/client/collector.h>
#include <metricsd/models/json/document.h>
#include <metricsd/support/daemon_process.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
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

// A client that tells of a task of so many samples, and the daemon that it tells.
class KilledDaemon : public ::testing::Test {
 protected:
  void start(std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--ingest.threads", "2"});
    daemon_ = std::make_unique<DaemonProcess>(DaemonOptions{.flags = std::move(flags), .socket = socket_});
  }
  [[nodiscard]] std::vector<std::string> kept() const {
    return {"--data-dir", (directory_.path() / "state").string(), "--data.checkpoint-interval", "50ms"};
  }
  void kill() { daemon_->stop(SIGKILL); }

  void tell(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string metrics = R"({"n":)" + std::to_string(++told_) + "}";
      run_.task_sample({.task_id = "t", .metrics = metrics, .history_size = 10'000});
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  // Whether all that was told is there, each once and in its order.
  [[nodiscard]] bool has_all() const {
    const HttpAnswer answer = daemon_->get("/api/v1/tasks/t/metrics?limit=1000");
    if (answer.status != 200) return false;
    const auto page = *parse_json(answer.body);
    std::int64_t number = told_;
    for (const auto& metrics : page.at("metrics").as_array()) {
      if (metrics.at("n").as_int64() != number--) return false;
    }
    return number == 0;
  }
  [[nodiscard]] bool is_told_of() const {
    return daemon_->get("/api/v1/processes").body.find(R"("connected":true)") != std::string::npos;
  }

  const TemporaryDirectory directory_;
  const std::filesystem::path socket_ = directory_.path() / "metricsd.sock";
  client::Collector run_{options(socket_)};
  std::unique_ptr<DaemonProcess> daemon_;
  int told_ = 0;
};

TEST_F(KilledDaemon, HasEachSampleOnceInTheEnd) {
  for (int kills = 0; kills < 4; ++kills) {
    start(kept());
    tell(150);
    kill();
    tell(20);
  }
  start(kept());
  EXPECT_THAT(run_.finish().warnings, IsEmpty());
  EXPECT_TRUE(eventually([&] { return has_all(); })) << daemon_->get("/api/v1/tasks/t/metrics").body;
}

TEST_F(KilledDaemon, WithoutStateIsToldTheNewestAgain) {
  start({"--data-dir", "none"});
  tell(300);
  ASSERT_TRUE(eventually([&] { return has_all(); }));
  kill();
  start({"--data-dir", "none"});
  EXPECT_TRUE(eventually([&] { return has_all() && is_told_of(); }));
  EXPECT_THAT(run_.finish().warnings, IsEmpty());
}

// Long before the next sample.
TEST_F(KilledDaemon, IsToldOfTheTaskAtOnce) {
  auto flags = kept();
  flags.insert(flags.end(), {"--metrics.process-expiry", "2s"});
  start(flags);
  run_.counter({.name = "workload_process_cpu", .labels = {{"job_name", "t"}}}).add(7);
  tell(1);
  const auto cpu = [&] { return daemon_->scrape().sum("workload_process_cpu_total"); };
  ASSERT_TRUE(eventually([&] { return cpu() == 7 && has_all(); }));
  kill();
  start(flags);
  EXPECT_TRUE(eventually([&] { return is_told_of(); }));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  while (std::chrono::steady_clock::now() < until) {
    ASSERT_EQ(cpu(), 7);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_TRUE(has_all());
  run_.finish();
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
