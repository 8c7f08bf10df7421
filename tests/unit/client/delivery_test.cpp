// Runs beside a daemon that is absent, goes and returns, or does not read: the workload goes on, and what was
// not delivered is counted exactly.
#include "support/fake_daemon.h"
#include "support/run_directory.h"

#include <metricsd/client/collector.h>
#include <metricsd/support/temporary_directory.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::client {
namespace {

using testing::Answers;
using testing::eventually;
using testing::FakeDaemon;

class DeliveryTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path socket() const { return directory_.path() / "m.sock"; }
  [[nodiscard]] RunOptions options() const {
    return {.export_dir = directory_.path() / "metrics",
            .exports = {},
            .join_from_environment = false,
            .socket = socket().string(),
            .finish_timeout = std::chrono::seconds(60)};
  }
  static std::uint64_t lost_by_socket(const Report& report) {
    std::uint64_t sum = 0;
    const auto causes = report.dropped.find("socket");
    if (causes == report.dropped.end()) return 0;
    for (const auto& [cause, count] : causes->second) sum += count;
    return sum;
  }

  support::TemporaryDirectory directory_;
};

void record(Collector& run, int operations) {
  for (int i = 0; i < operations; ++i) run.record({.operation_type = "upload", .object_key = "bucket/key"});
}

TEST_F(DeliveryTest, DeliversEveryOperationOfAPatientRun) {
  FakeDaemon daemon(socket());
  Collector run(options());
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) threads.emplace_back([&run] { record(run, 2000); });
  for (std::thread& thread : threads) thread.join();
  const Report report = run.finish();
  ASSERT_TRUE(eventually([&] { return daemon.of_type("run_end").size() == 1; }));
  EXPECT_EQ(daemon.operations() + run.dropped(), 8000U);
  EXPECT_EQ(daemon.missing(), 0U);
  EXPECT_EQ(lost_by_socket(report), 0U);
  EXPECT_THAT(report.warnings, ::testing::IsEmpty());
  EXPECT_EQ(daemon.of_type("bye").size(), 1U);
}

TEST_F(DeliveryTest, TellsWhatTheScrapeNeeds) {
  FakeDaemon daemon(socket());
  Collector run(options());
  run.record({.operation_type = "upload",
              .duration = std::chrono::milliseconds(5),
              .object_key = "bucket/key",
              .object_size_bytes = 77,
              .retry_count = 2,
              .workload_type = "s3",
              .driver = "boto"});
  run.record({.operation_type = "no good"});
  run.bind("download", {.workload_type = "rbd"})
      .record({.duration = std::chrono::milliseconds(6), .success = false, .error_code = "SlowDown"});
  const Report report = run.finish();
  EXPECT_THAT(daemon.operation_lines(), ::testing::ElementsAre("upload s3 boto true  5000000 77 2",
                                                               "download rbd  false SlowDown 6000000 0 0"));
  EXPECT_EQ(daemon.missing(), 0U);
  EXPECT_EQ(report.dropped, (DropCounts{{"record", {{"invalid", 1}}}}));
}

// One that only counts what comes as lines, and answers nothing.
TEST_F(DeliveryTest, SendsLinesToAnOlderDaemonAndSaysSo) {
  FakeDaemon daemon(socket(), true, Answers::nothing);
  Collector run(options());
  record(run, 5000);
  const Report report = run.finish();
  ASSERT_TRUE(eventually([&] { return daemon.of_type("run_end").size() == 1; }));
  EXPECT_EQ(daemon.operations(), 5000U);
  EXPECT_EQ(daemon.of_type("batch").size(), 0U);
  EXPECT_EQ(report.dropped, DropCounts{});
  EXPECT_THAT(report.warnings, ::testing::ElementsAre(::testing::HasSubstr("as plain lines")));
}

TEST_F(DeliveryTest, SendsLinesToADaemonThatHangsUpOnAHello) {
  FakeDaemon daemon(socket(), true, Answers::by_hanging_up);
  Collector run(options());
  record(run, 100);
  EXPECT_TRUE(eventually([&] { return daemon.operations() == 100; }));
  EXPECT_THAT(run.finish().warnings, ::testing::ElementsAre(::testing::HasSubstr("as plain lines")));
}

TEST_F(DeliveryTest, SendsWhatWasNotAcknowledgedToTheNextDaemon) {
  auto first = std::make_unique<FakeDaemon>(socket(), true, Answers::welcome);
  Collector run(options());
  record(run, 1000);
  ASSERT_TRUE(eventually([&] { return first->operations() == 1000; }));
  first.reset();  // with a store of its own, which knew of them
  FakeDaemon second(socket());
  record(run, 500);
  EXPECT_EQ(run.finish().dropped, DropCounts{});
  EXPECT_EQ(second.operations(), 1500U);
  EXPECT_EQ(second.missing(), 0U);
}

TEST_F(DeliveryTest, WithoutADaemonCountsAllAndDoesNotWait) {
  Collector run(options());
  record(run, 1000);
  const auto before = std::chrono::steady_clock::now();
  const Report report = run.finish();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(30));  // finish_timeout is 60
  EXPECT_EQ(report.dropped, (DropCounts{{"socket", {{"no_daemon", 1000}}}}));
  EXPECT_EQ(testing::operations_of(run.directory()).size(), 1000U);
}

TEST_F(DeliveryTest, KeepsForADaemonThatComesLater) {
  Collector run(options());
  record(run, 1000);
  FakeDaemon daemon(socket());
  EXPECT_TRUE(eventually([&] { return daemon.operations() == 1000; }));
  EXPECT_EQ(run.finish().dropped, DropCounts{});
}

TEST_F(DeliveryTest, GoesOnWhenADaemonGoesAndReturns) {
  Collector run(options());
  std::uint64_t operations = 0;
  for (int life = 0; life < 5; ++life) {
    FakeDaemon daemon(socket());
    record(run, 100);
    ASSERT_TRUE(eventually([&] { return daemon.operations() >= 100; })) << life;
    EXPECT_EQ(daemon.of_type("run_start").size(), 1U);
    EXPECT_EQ(daemon.missing(), 0U);
    operations += daemon.operations();
  }
  const Report report = run.finish();
  EXPECT_EQ(report.recorded, 500U);
  EXPECT_GE(operations, 500U);
  EXPECT_THAT(report.warnings, ::testing::IsEmpty());
}

// Daemons that write down what they have only now and then, each killed and followed by the next.
TEST_F(DeliveryTest, EachOperationCountsOnceWhateverDaemonsAreKilled) {
  testing::FakeStore store;
  Collector run(options());
  std::atomic<bool> done{false};
  std::thread workload([&] {
    while (!done) {
      record(run, 50);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  for (int life = 0; life < 12; ++life) {
    FakeDaemon daemon(socket(), true, Answers::all, &store);
    const std::uint64_t before = daemon.operations();
    EXPECT_TRUE(eventually([&] { return daemon.operations() > before; })) << life;
    if (life % 2 == 0) daemon.save();
    std::this_thread::sleep_for(std::chrono::milliseconds(7 * (life % 3)));
    EXPECT_EQ(daemon.missing(), 0U);
  }
  FakeDaemon last(socket(), true, Answers::all, &store);
  std::thread keeper([&] {
    while (!done || last.of_type("bye").empty()) last.save();
  });
  done = true;
  workload.join();
  const Report report = run.finish();
  keeper.join();
  EXPECT_EQ(report.dropped, DropCounts{});
  EXPECT_EQ(store.operations, report.recorded);
  EXPECT_EQ(last.missing(), 0U);
  EXPECT_THAT(report.warnings, ::testing::IsEmpty());
}

// As one that got SIGSTOP: the connection is there, and nobody reads.
TEST_F(DeliveryTest, ADaemonThatDoesNotReadCostsCountedOperations) {
  FakeDaemon daemon(socket(), false);
  RunOptions small = options();
  small.queue_bytes = 64 * 1024;
  Collector run(small);
  ASSERT_TRUE(eventually([&] { return daemon.connections() == 1; }));
  constexpr int kOperations = 20'000;
  for (int i = 0; i < 20; ++i) {
    record(run, kOperations / 20);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(eventually([&] { return run.dropped() > 0; }));
  daemon.set_reading(true);
  const Report report = run.finish();
  EXPECT_GT(lost_by_socket(report), 0U);
  EXPECT_EQ(report.dropped.at("socket").count("no_daemon"), 0U);
  ASSERT_TRUE(eventually([&] { return daemon.of_type("run_end").size() == 1; }));
  EXPECT_EQ(daemon.operations() + run.dropped(), static_cast<std::uint64_t>(kOperations));
  EXPECT_EQ(daemon.missing(), 0U);
  EXPECT_EQ(testing::number_in(daemon.of_type("heartbeat").back(), "queue_full"),
            report.dropped.at("socket").at("queue_full"));
}

TEST_F(DeliveryTest, FinishWaitsForEverWhereItWasTold) {
  FakeDaemon daemon(socket());
  RunOptions patient = options();
  patient.finish_timeout = std::chrono::milliseconds::max();
  Collector run(patient);
  ASSERT_TRUE(eventually([&] { return daemon.of_type("run_start").size() == 1; }));
  daemon.set_reading(false);
  record(run, 1000);
  std::thread later([&daemon] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    daemon.set_reading(true);
  });
  EXPECT_EQ(run.finish().dropped, DropCounts{});
  later.join();
  EXPECT_EQ(daemon.operations(), 1000U);
}

TEST_F(DeliveryTest, FinishIsBoundedBeforeADaemonThatNeverReads) {
  FakeDaemon daemon(socket(), false);
  RunOptions hasty = options();
  hasty.finish_timeout = std::chrono::milliseconds(20);
  Collector run(hasty);
  ASSERT_TRUE(eventually([&] { return daemon.connections() == 1; }));
  for (int i = 0; i < 10; ++i) {
    record(run, 500);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const Report report = run.finish();
  EXPECT_GT(lost_by_socket(report), 0U);
  daemon.set_reading(true);
  // What the kernel held for it is still there to read, and was counted as lost: nobody had said it was not.
  EXPECT_TRUE(eventually([&] { return daemon.operations() + run.dropped() >= report.recorded; }));
}

TEST_F(DeliveryTest, TellsTheNumberOfUsers) {
  FakeDaemon daemon(socket());
  RunOptions with_users = options();
  with_users.num_users = 3;
  Collector run(with_users);
  ASSERT_TRUE(eventually([&] { return !daemon.of_type("users").empty(); }));
  EXPECT_EQ(testing::number_in(daemon.of_type("users")[0], "count"), 3U);
  run.set_users(8);
  EXPECT_TRUE(eventually([&] { return testing::number_in(daemon.of_type("users").back(), "count") == 8U; }));
}

}  // namespace
}  // namespace metricsd::client
