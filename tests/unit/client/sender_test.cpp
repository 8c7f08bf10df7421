#include "sender.h"

#include "support/fake_daemon.h"

#include <metricsd/support/manual_clock.h>
#include <metricsd/support/temporary_directory.h>

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

using testing::eventually;
using testing::FakeDaemon;

class SenderTest : public ::testing::Test {
 protected:
  SenderTest() { run_.test_run_id = "r1"; }

  [[nodiscard]] std::filesystem::path socket() const { return directory_.path() / "m.sock"; }
  std::unique_ptr<Sender> make(std::size_t queue_bytes = std::size_t{1} << 20) {
    return std::make_unique<Sender>(SenderOptions{{socket()}, ::getuid(), queue_bytes}, run_, clock_,
                                    losses_);
  }
  // Lets time go until `condition` holds.
  bool pump_until(Sender& sender, const std::function<bool()>& condition) {
    return eventually([&] {
      clock_.advance(kNsPerSecond / 10);
      sender.pump();
      return condition();
    });
  }

  support::TemporaryDirectory directory_;
  support::ManualClock clock_;
  LossLedger losses_;
  metricsd::Run run_;
};

TEST_F(SenderTest, BeginsWithTheRunAndTheUsers) {
  FakeDaemon daemon(socket());
  const auto sender = make();
  sender->set_users(5);
  sender->push("{\"n\":1}\n");
  sender->pump();
  ASSERT_TRUE(eventually([&] { return daemon.lines().size() == 3; }));
  const auto lines = daemon.lines();
  EXPECT_THAT(lines[0], ::testing::HasSubstr("\"run_start\""));
  EXPECT_THAT(lines[0], ::testing::HasSubstr("\"r1\""));
  EXPECT_THAT(lines[1], ::testing::HasSubstr("\"users\""));
  EXPECT_EQ(lines[2], "{\"n\":1}");
}

TEST_F(SenderTest, TellsUsersOnlyWhenTheyChange) {
  FakeDaemon daemon(socket());
  const auto sender = make();
  for (const std::uint64_t users : {1U, 1U, 2U, 2U}) {
    sender->set_users(users);
    sender->pump();
  }
  EXPECT_TRUE(eventually([&] { return daemon.of_type("users").size() == 2; }));
}

TEST_F(SenderTest, TriesAgainWithBackOff) {
  const auto sender = make();
  sender->pump();
  FakeDaemon daemon(socket());
  sender->pump();  // too early
  EXPECT_EQ(sender->blocked_descriptor(), -1);
  clock_.advance(99 * kNsPerMs);
  sender->pump();
  EXPECT_EQ(daemon.connections(), 0U);
  clock_.advance(kNsPerMs);
  sender->pump();
  EXPECT_TRUE(eventually([&] { return daemon.of_type("run_start").size() == 1; }));
}

TEST_F(SenderTest, TellsTheRunAgainToADaemonThatReturns) {
  const auto sender = make();
  sender->set_users(3);
  for (int life = 0; life < 3; ++life) {
    FakeDaemon daemon(socket());
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("users").size() == 1; }));
    EXPECT_EQ(daemon.of_type("run_start").size(), 1U);
  }
  EXPECT_TRUE(pump_until(*sender, [&] { return !sender->warnings().empty(); }));
}

TEST_F(SenderTest, CountsWhatNoDaemonTakes) {
  const auto sender = make(64 * 1024);
  const std::string line = std::string(1023, 'x') + "\n";
  for (int i = 0; i < 100; ++i) sender->push(line);
  EXPECT_EQ(losses_.count(Loss::socket_no_daemon), 36U);
  sender->finish(60 * kNsPerSecond);  // and does not wait for one that never was
  EXPECT_EQ(losses_.count(Loss::socket_no_daemon), 100U);
}

TEST_F(SenderTest, CountsApartWhatADaemonThatDoesNotReadLeaves) {
  FakeDaemon daemon(socket(), false);
  const auto sender = make(64 * 1024);
  const std::string line = std::string(1023, 'x') + "\n";
  sender->pump();
  for (int i = 0; i < 2000; ++i) {
    sender->push(line);
    sender->pump();
  }
  EXPECT_GT(losses_.count(Loss::socket_queue_full), 0U);
  EXPECT_EQ(losses_.count(Loss::socket_no_daemon), 0U);

  daemon.set_reading(true);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() + total(losses_.totals()) == 2000; }));
  const std::string all_told = "\"queue_full\":" + std::to_string(total(losses_.totals())) + "}";
  EXPECT_TRUE(pump_until(*sender, [&] {
    const auto told = daemon.of_type("heartbeat");
    return !told.empty() && told.back().find(all_told) != std::string::npos;
  }));
}

// State that changes while nothing is read must not pile up.
TEST_F(SenderTest, StaysBoundedBeforeADaemonThatDoesNotRead) {
  FakeDaemon daemon(socket(), false);
  const auto sender = make(64 * 1024);
  for (std::uint64_t i = 0; i < 2000; ++i) {
    sender->push(std::string(1023, 'x') + "\n");
    sender->set_users(i);
    clock_.advance(kNsPerSecond);
    sender->pump();
  }
  daemon.set_reading(true);
  ASSERT_TRUE(pump_until(*sender, [&] { return sender->blocked_descriptor() == -1; }));
  EXPECT_LT(daemon.of_type("users").size(), 1000U);
}

TEST_F(SenderTest, SendsTheLineThatABreakCutInTwoAgainWhole) {
  auto first = std::make_unique<FakeDaemon>(socket(), false);
  const auto sender = make();
  const std::string line = std::string(9999, 'x') + "\n";
  for (int i = 0; i < 90; ++i) sender->push(line);
  sender->pump();  // as much as the kernel takes: surely not 900 kB
  ASSERT_NE(sender->blocked_descriptor(), -1);
  first.reset();  // hangs up with all of it unread

  FakeDaemon second(socket());
  sender->push("{\"last\":1}\n");
  ASSERT_TRUE(pump_until(*sender,
                         [&] { return !second.lines().empty() && second.lines().back() == "{\"last\":1}"; }));
  for (const std::string& seen : second.lines()) {
    EXPECT_TRUE(seen.starts_with("{") || seen.size() == 9999U) << seen.size();
  }
}

TEST_F(SenderTest, EndsWithTheLossesAndTheEndOfTheRun) {
  FakeDaemon daemon(socket());
  const auto sender = make();
  sender->push("{\"n\":1}\n");
  sender->pump();
  losses_.add(Loss::ring_full, 7);
  sender->finish(60 * kNsPerSecond);
  ASSERT_TRUE(eventually([&] { return daemon.of_type("run_end").size() == 1; }));
  const auto lines = daemon.lines();
  EXPECT_THAT(lines.back(), ::testing::HasSubstr("\"run_end\""));
  EXPECT_THAT(lines[lines.size() - 2], ::testing::HasSubstr("{\"ring\":{\"full\":7}}"));
}

TEST_F(SenderTest, TellsEachLossToOneConnection) {
  const auto sender = make();
  losses_.add(Loss::ring_full, 7);
  {
    FakeDaemon daemon(socket());
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("heartbeat").size() == 1; }));
    EXPECT_THAT(daemon.of_type("heartbeat")[0], ::testing::HasSubstr("\"full\":7"));
  }
  losses_.add(Loss::ring_full, 2);
  FakeDaemon daemon(socket());
  ASSERT_TRUE(pump_until(*sender, [&] { return !daemon.of_type("heartbeat").empty(); }));
  EXPECT_THAT(daemon.of_type("heartbeat")[0], ::testing::HasSubstr("\"full\":2"));
}

TEST_F(SenderTest, LeavesWhatTheFilesNeedOutOfALineThatWouldBeRefused) {
  run_.tags = "{\"a\":\"" + std::string(100'000, 'x') + "\"}";
  FakeDaemon daemon(socket());
  const auto sender = make();
  sender->pump();
  ASSERT_TRUE(eventually([&] { return daemon.of_type("run_start").size() == 1; }));
  EXPECT_LT(daemon.of_type("run_start")[0].size(), 1000U);
}

}  // namespace
}  // namespace metricsd::client
