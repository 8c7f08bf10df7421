#include "sender.h"

#include "support/fake_daemon.h"

#include <metricsd/models/limits.h>
#include <metricsd/support/manual_clock.h>
#include <metricsd/support/memory_limit.h>
#include <metricsd/support/sanitized.h>
#include <metricsd/support/temporary_directory.h>

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

using testing::Answers;
using testing::eventually;
using testing::FakeDaemon;

constexpr std::string_view kClientId = "00112233445566778899aabbccddeeff";

struct Owed {
  Owed(const std::vector<std::filesystem::path>& directories, std::size_t queue_bytes)
      : segment(kClientId, directories), outbox(segment, queue_bytes) {}

  Segment segment;
  Outbox outbox;
};

// A sender with all that it sends.
struct Client : Owed, Sender {
  Client(const std::filesystem::path& socket, const std::vector<std::filesystem::path>& directories,
         std::size_t queue_bytes, const metricsd::Run& run, const Clock& clock, LossLedger& losses)
      : Owed(directories, queue_bytes), Sender({{socket}, ::getuid()}, run, clock, losses, segment, outbox) {}
};

class SenderTest : public ::testing::Test {
 protected:
  SenderTest() { run_.test_run_id = "r1"; }

  [[nodiscard]] std::filesystem::path socket() const { return directory_.path() / "m.sock"; }
  std::unique_ptr<Client> make(std::size_t queue_bytes = std::size_t{1} << 20,
                               const std::vector<std::filesystem::path>& directories = {}) {
    return std::make_unique<Client>(socket(), directories, queue_bytes, run_, clock_, losses_);
  }
  static void add(Client& client, std::string_view type, std::int64_t duration_ns = 0) {
    OperationView operation;
    operation.operation_type = type;
    operation.duration_ns = duration_ns;
    client.outbox.add(operation);
  }
  // One batch of so many operations; returns how many were queued.
  std::uint64_t push(Client& client, std::uint64_t count = 1, std::uint32_t stream = 0) {
    client.outbox.begin_batch(stream);
    for (std::uint64_t i = 0; i < count; ++i) add(client, "upload", static_cast<std::int64_t>(++pushed_));
    const Outbox::Outcome outcome = client.outbox.end_batch();
    losses_.add(client.cause_of_backlog(), outcome.refused);
    return outcome.queued;
  }
  static constexpr std::uint64_t kRows = 100;
  // One message of so many rows.
  static void push_samples(Client& client) {
    ipc::SamplesMessage message;
    message.samples.assign(kRows, {.id = 0, .labels = {}, .values = {1.0}});
    client.outbox.push(message);
  }
  // Lets time go until `condition` holds.
  bool pump_until(Client& sender, const std::function<bool()>& condition) {
    return eventually([&] {
      clock_.advance(kNsPerSecond / 100);
      sender.pump();
      return condition();
    });
  }

  support::TemporaryDirectory directory_;
  support::ManualClock clock_;
  LossLedger losses_;
  metricsd::Run run_;
  std::uint64_t pushed_ = 0;
};

TEST_F(SenderTest, BeginsWithAHelloThenTheRunAndTheUsers) {
  FakeDaemon daemon(socket());
  const auto sender = make();
  sender->set_users(5);
  push(*sender, 2);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.lines().size() == 4; }));
  const auto lines = daemon.lines();
  EXPECT_THAT(lines[0], ::testing::HasSubstr("\"hello\""));
  EXPECT_THAT(lines[0], ::testing::HasSubstr("00112233445566778899aabbccddeeff"));
  EXPECT_THAT(lines[0], ::testing::HasSubstr(R"([{"stream":0,"first_seq":1}])"));
  EXPECT_THAT(lines[1], ::testing::HasSubstr("\"run_start\""));
  EXPECT_THAT(lines[1], ::testing::HasSubstr("\"r1\""));
  EXPECT_THAT(lines[2], ::testing::HasSubstr("\"users\""));
  EXPECT_THAT(lines[3], ::testing::HasSubstr(R"("batch","stream":0,"first_seq":1,"count":2)"));
}

TEST_F(SenderTest, TellsUsersOnlyWhenTheyChange) {
  FakeDaemon daemon(socket());
  const auto sender = make();
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("users").size() == 1; }));
  for (const std::uint64_t users : {1U, 1U, 2U, 2U}) {
    sender->set_users(users);
    sender->pump();
  }
  EXPECT_TRUE(eventually([&] { return daemon.of_type("users").size() == 3; }));
}

TEST_F(SenderTest, TriesAgainWithBackOff) {
  const auto sender = make();
  sender->pump();
  FakeDaemon daemon(socket());
  sender->pump();  // too early
  EXPECT_EQ(sender->interest().fd, -1);
  clock_.advance(99 * kNsPerMs);
  sender->pump();
  EXPECT_EQ(daemon.connections(), 0U);
  clock_.advance(kNsPerMs);
  sender->pump();
  EXPECT_TRUE(eventually([&] { return daemon.of_type("hello").size() == 1; }));
}

TEST_F(SenderTest, TellsTheRunAgainToADaemonThatReturns) {
  const auto sender = make();
  sender->set_users(3);
  for (int life = 0; life < 3; ++life) {
    FakeDaemon daemon(socket());
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("users").size() == 1; }));
    EXPECT_EQ(daemon.of_type("run_start").size(), 1U);
  }
  EXPECT_THAT(sender->warnings(), ::testing::IsEmpty());
}

TEST_F(SenderTest, CountsWhatNoDaemonTakes) {
  const auto sender = make(64 * 1024);
  std::uint64_t queued = 0;
  for (int i = 0; i < 100; ++i) queued += push(*sender, 100);
  EXPECT_GT(queued, 0U);
  EXPECT_EQ(losses_.count(Loss::socket_no_daemon), 10'000 - queued);
  sender->finish(60 * kNsPerSecond);  // and does not wait for one that never was
  EXPECT_EQ(losses_.count(Loss::socket_no_daemon), 10'000U);
}

TEST_F(SenderTest, CountsWhatThereIsNoMemoryFor) {
  if (METRICSD_SANITIZED != 0) GTEST_SKIP() << "the sanitizers end a process that has no memory";
  FakeDaemon daemon(socket());
  const auto sender = make(std::size_t{1} << 30);
  std::uint64_t queued = 0;
  {
    const support::MemoryLimit limit(std::size_t{8} << 20);
    while (losses_.count(Loss::socket_no_daemon) == 0) queued += push(*sender, 2000);
  }
  EXPECT_GT(queued, 0U);
  EXPECT_EQ(losses_.count(Loss::socket_no_daemon), pushed_ - queued);
  queued += push(*sender, 3);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == queued; }));
  EXPECT_EQ(daemon.missing(), 0U);
}

TEST_F(SenderTest, SamplesThatThereIsNoMemoryForCountAsUntold) {
  if (METRICSD_SANITIZED != 0) GTEST_SKIP() << "the sanitizers end a process that has no memory";
  FakeDaemon daemon(socket());
  const auto sender = make(std::size_t{1} << 30);
  {
    const support::MemoryLimit limit(std::size_t{1} << 20);
    while (sender->outbox.refused_samples() == 0) push_samples(*sender);
  }
  push_samples(*sender);
  sender->finish(60 * kNsPerSecond);
  EXPECT_EQ(sender->outbox.refused_samples(), kRows);  // those alone
  EXPECT_EQ(sender->lost_samples(), 0U);
  EXPECT_EQ(daemon.missing(), 0U);
}

TEST_F(SenderTest, AnAbandonedBatchLeavesNoTrace) {
  FakeDaemon daemon(socket());
  const auto sender = make();
  push(*sender, 2);
  sender->outbox.begin_batch(0);
  add(*sender, "download");
  const Outbox::Outcome outcome = sender->outbox.abandon_batch();
  EXPECT_EQ(outcome.queued, 0U);
  EXPECT_EQ(outcome.refused, 1U);
  push(*sender, 3);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 5; }));
  EXPECT_EQ(daemon.missing(), 0U);
  EXPECT_THAT(daemon.of_type("batch").back(), ::testing::Not(::testing::HasSubstr("download")));
}

TEST_F(SenderTest, CountsApartWhatADaemonThatDoesNotReadLeaves) {
  FakeDaemon daemon(socket());
  const auto sender = make(64 * 1024);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("run_start").size() == 1; }));
  daemon.set_reading(false);
  std::uint64_t queued = 0;
  for (int i = 0; i < 2000; ++i) {
    queued += push(*sender, 100);
    sender->pump();
  }
  EXPECT_EQ(losses_.count(Loss::socket_queue_full), 200'000 - queued);
  EXPECT_GT(losses_.count(Loss::socket_queue_full), 0U);
  EXPECT_EQ(losses_.count(Loss::socket_no_daemon), 0U);

  daemon.set_reading(true);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == queued; }));
  const std::string all_told = "\"queue_full\":" + std::to_string(total(losses_.totals())) + "}";
  EXPECT_TRUE(pump_until(*sender, [&] {
    const auto told = daemon.of_type("heartbeat");
    return !told.empty() && told.back().find(all_told) != std::string::npos;
  }));
  // Numbers are given to what was queued: the losses have left no hole.
  push(*sender, 10);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == queued + 10; }));
  EXPECT_EQ(daemon.missing(), 0U);
}

// State that changes while nothing is read must not pile up.
TEST_F(SenderTest, StaysBoundedBeforeADaemonThatDoesNotRead) {
  FakeDaemon daemon(socket());
  const auto sender = make(64 * 1024);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("run_start").size() == 1; }));
  daemon.set_reading(false);
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    push(*sender, 100);
    sender->set_users(i);
    clock_.advance(kNsPerSecond);
    sender->pump();
  }
  daemon.set_reading(true);
  ASSERT_TRUE(pump_until(*sender, [&] { return (sender->interest().events & POLLOUT) == 0; }));
  EXPECT_LT(daemon.of_type("users").size(), 10'000U);
}

TEST_F(SenderTest, KeepsWhatIsNotAcknowledgedForTheNextDaemon) {
  const auto sender = make();
  {
    FakeDaemon daemon(socket(), true, Answers::welcome);
    push(*sender, 10);
    push(*sender, 5, 1);
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 15; }));
  }
  FakeDaemon daemon(socket());
  push(*sender, 3);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 18; }));
  EXPECT_EQ(daemon.repeated(), 0U);
  EXPECT_EQ(daemon.missing(), 0U);
  sender->finish(60 * kNsPerSecond);
  EXPECT_EQ(total(losses_.totals()), 0U);
}

TEST_F(SenderTest, SendsABatchThatABreakCutInTwoAgainWhole) {
  auto first = std::make_unique<FakeDaemon>(socket());
  const auto sender = make(std::size_t{8} << 20);
  ASSERT_TRUE(pump_until(*sender, [&] { return first->of_type("run_start").size() == 1; }));
  first->set_reading(false);
  for (int i = 0; i < 50; ++i) push(*sender, 2000);
  sender->pump();  // as much as the kernel takes: surely not megabytes
  ASSERT_NE(sender->interest().events & POLLOUT, 0);
  first.reset();  // hangs up with all of it unread

  FakeDaemon second(socket());
  ASSERT_TRUE(pump_until(*sender, [&] { return second.operations() == 100'000; }));
  EXPECT_EQ(second.missing(), 0U);
}

TEST_F(SenderTest, FallsBackToLinesOnceItHasWaitedForAWelcome) {
  FakeDaemon daemon(socket(), true, Answers::nothing);
  const auto sender = make();
  push(*sender, 3);
  sender->pump();
  ASSERT_TRUE(eventually([&] { return daemon.of_type("hello").size() == 1; }));
  sender->pump();
  EXPECT_EQ(daemon.operations(), 0U);
  clock_.advance(kNsPerSecond);
  sender->pump();
  ASSERT_TRUE(eventually([&] { return daemon.operations() == 3; }));
  EXPECT_THAT(daemon.operation_lines()[0], ::testing::HasSubstr(R"("operation_type":"upload")"));
  EXPECT_EQ(daemon.of_type("run_start").size(), 1U);
  EXPECT_THAT(sender->warnings(), ::testing::ElementsAre(::testing::HasSubstr("1 times")));
}

// It may have been folded before.
TEST_F(SenderTest, WhatWentOutInBatchesNeverGoesAsLines) {
  const auto sender = make();
  {
    FakeDaemon daemon(socket(), true, Answers::welcome);
    push(*sender, 10);
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 10; }));
  }
  {
    FakeDaemon daemon(socket(), true, Answers::by_hanging_up);
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("hello").size() > 5; }));
    EXPECT_EQ(daemon.operations(), 0U);
  }
  {
    FakeDaemon daemon(socket(), true, Answers::other_protocol);
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("hello").size() > 1; }));
    EXPECT_EQ(daemon.operations(), 0U);
  }
  {
    FakeDaemon daemon(socket(), true, Answers::nothing);
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("hello").size() == 1; }));
    clock_.advance(100 * kNsPerSecond);
    sender->pump();
    EXPECT_EQ(daemon.lines().size(), 1U);
  }
  FakeDaemon daemon(socket());
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 10; }));
  EXPECT_EQ(daemon.of_type("batch").size(), 1U);
  EXPECT_THAT(sender->warnings(), ::testing::IsEmpty());
}

TEST_F(SenderTest, WhatNoWelcomeComesForAnyMoreCountsAsLost) {
  const auto sender = make();
  {
    FakeDaemon daemon(socket(), true, Answers::welcome);
    push(*sender, 10);
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 10; }));
  }
  FakeDaemon daemon(socket(), true, Answers::nothing);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("hello").size() == 1; }));
  clock_.advance(100 * kNsPerSecond);
  sender->finish(0);
  EXPECT_EQ(daemon.lines().size(), 1U);
  EXPECT_EQ(losses_.count(Loss::socket_queue_full), 10U);
}

TEST_F(SenderTest, SendsLinesOnANewConnectionToADaemonOfAnotherProtocol) {
  FakeDaemon daemon(socket(), true, Answers::other_protocol);
  const auto sender = make();
  push(*sender, 3);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 3; }));
  for (int i = 0; i < 200; ++i) {  // two seconds
    clock_.advance(kNsPerSecond / 100);
    sender->pump();
  }
  sender->finish(60 * kNsPerSecond);
  ASSERT_TRUE(eventually([&] { return daemon.of_type("run_end").size() == 1; }));
  EXPECT_EQ(daemon.connections(), 2U);
  EXPECT_EQ(daemon.of_type("hello").size(), 1U);
  EXPECT_EQ(daemon.operations(), 3U);
  EXPECT_EQ(total(losses_.totals()), 0U);
  EXPECT_THAT(sender->warnings(), ::testing::ElementsAre(::testing::HasSubstr("1 times")));
}

TEST_F(SenderTest, SamplesThatFallBackToLinesHaveNoPlaceInAStream) {
  FakeDaemon daemon(socket(), true, Answers::nothing);
  const auto sender = make();
  push_samples(*sender);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("samples").size() == 1; }));
  EXPECT_THAT(daemon.of_type("samples")[0], ::testing::Not(::testing::HasSubstr("stream")));
  EXPECT_THAT(daemon.of_type("samples")[0], ::testing::Not(::testing::HasSubstr("first_seq")));
}

// A line of them waits while the daemon does not read.
TEST_F(SenderTest, SamplesThatWaitAsALineAreNoLostOperation) {
  FakeDaemon daemon(socket(), true, Answers::nothing);
  const auto sender = make();
  sender->pump();
  clock_.advance(2 * kNsPerSecond);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("run_start").size() == 1; }));
  daemon.set_reading(false);
  std::uint64_t messages = 0;
  while (sender->outbox.has_room()) {
    push_samples(*sender);
    sender->pump();
    ++messages;
  }
  ASSERT_NE(sender->interest().events & POLLOUT, 0);
  sender->finish(0);
  EXPECT_EQ(total(losses_.totals()), 0U);
  EXPECT_GT(sender->lost_samples(), 0U);
  EXPECT_LT(sender->lost_samples(), messages * kRows);
}

TEST_F(SenderTest, ALargeBatchOfTheLongestTextsFallsBackToLinesWhole) {
  constexpr std::uint64_t kTurn = 2048;  // of the drainer with one ring
  FakeDaemon daemon(socket(), true, Answers::nothing);
  const auto sender = make(std::size_t{16} << 20);
  const std::string escaped(limits::kDriver, '\x01');  // six bytes each
  const std::string name(64, 'n');
  sender->outbox.begin_batch(0);
  std::uint64_t added = 0;
  for (; added < kTurn && !sender->outbox.is_full(); ++added) {
    OperationView operation;
    operation.operation_type = name;
    operation.workload_type = name;
    operation.driver = escaped;
    operation.success = false;
    operation.error_code = escaped;
    operation.duration_ns = limits::kDurationNs;
    operation.object_size_bytes = operation.retry_count = limits::kWhole;
    sender->outbox.add(operation);
  }
  EXPECT_EQ(added, kTurn);
  EXPECT_EQ(sender->outbox.end_batch().queued, kTurn);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() + total(losses_.totals()) == kTurn; }));
  EXPECT_EQ(daemon.operations(), kTurn);
}

TEST_F(SenderTest, EndsWithTheLossesAndTheEndOfTheRun) {
  FakeDaemon daemon(socket());
  const auto sender = make();
  push(*sender);
  sender->pump();
  losses_.add(Loss::ring_full, 7);
  sender->finish(60 * kNsPerSecond);
  ASSERT_TRUE(eventually([&] { return daemon.of_type("bye").size() == 1; }));
  const auto lines = daemon.lines();
  EXPECT_THAT(lines[lines.size() - 2], ::testing::HasSubstr("\"run_end\""));
  const auto told = daemon.of_type("heartbeat");
  ASSERT_FALSE(told.empty());
  EXPECT_THAT(told.back(), ::testing::HasSubstr("{\"ring\":{\"full\":7}}"));
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
  EXPECT_THAT(daemon.of_type("heartbeat")[0], ::testing::HasSubstr(R"("dropped":{"ring":{"full":2}})"));
  EXPECT_THAT(daemon.of_type("heartbeat")[0], ::testing::HasSubstr(R"("total":{"ring":{"full":9}})"));
}

// One that was killed may not have kept what it heard.
TEST_F(SenderTest, TellsAllLossesAgainToADaemonThatReturns) {
  const auto sender = make();
  losses_.add(Loss::ring_full, 7);
  for (int life = 0; life < 3; ++life) {
    FakeDaemon daemon(socket());
    ASSERT_TRUE(pump_until(*sender, [&] { return !daemon.of_type("heartbeat").empty(); }));
    EXPECT_THAT(daemon.of_type("heartbeat")[0], ::testing::HasSubstr(R"("total":{"ring":{"full":7}})"));
  }
}

TEST_F(SenderTest, LeavesWhatTheFilesNeedOutOfALineThatWouldBeRefused) {
  run_.tags = "{\"a\":\"" + std::string(100'000, 'x') + "\"}";
  FakeDaemon daemon(socket());
  const auto sender = make();
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("run_start").size() == 1; }));
  EXPECT_LT(daemon.of_type("run_start")[0].size(), 1000U);
}

}  // namespace
}  // namespace metricsd::client
