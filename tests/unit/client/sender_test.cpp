#include "sender.h"

#include "support/fake_daemon.h"

#include <metricsd/models/limits.h>
#include <metricsd/support/manual_clock.h>
#include <metricsd/support/memory_limit.h>
#include <metricsd/support/sanitized.h>
#include <metricsd/support/temporary_directory.h>

#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

using testing::Answers;
using testing::eventually;
using testing::FakeDaemon;
using testing::FakeStore;

constexpr std::string_view kClientId = "00112233445566778899aabbccddeeff";

struct Owed {
  Owed(const std::vector<std::filesystem::path>& directories, std::size_t queue_bytes)
      : segment(kClientId, directories), outbox(segment, queue_bytes) {}

  Segment segment;
  Outbox outbox;
  TaskSamples task_samples;
};

// A sender with all that it sends.
struct Client : Owed, Sender {
  Client(const std::filesystem::path& socket, const std::vector<std::filesystem::path>& directories,
         std::size_t queue_bytes, const metricsd::Run& run, const Clock& clock, LossLedger& losses)
      : Owed(directories, queue_bytes),
        Sender({{socket}, ::getuid()}, run, clock, losses, segment, outbox, task_samples) {}
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
  static ipc::SamplesMessage samples() {
    ipc::SamplesMessage message;
    message.samples.assign(kRows, {.id = 0, .labels = {}, .values = {1.0}});
    return message;
  }
  static void push_samples(Client& client) {
    ipc::SamplesMessage message = samples();
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
  const auto sender = make(std::size_t{1} << 30);
  ipc::SamplesMessage message = samples();  // there may be no memory for it later
  {
    const support::MemoryLimit limit(std::size_t{1} << 20);
    while (sender->outbox.refused_samples() == 0) sender->outbox.push(message);
  }
  FakeDaemon daemon(socket());  // not before: its thread would find no memory either
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

TEST_F(SenderTest, TellsEachDaemonTheNewestSamplesOfTasks) {
  const auto sender = make();
  const auto tell = [&sender] { sender->task_samples.push({.task_id = "t", .metrics = "{}"}); };
  {
    FakeDaemon daemon(socket());
    tell();
    tell();
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("task_sample").size() == 2; }));
    tell();
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("task_sample").size() == 3; }));
  }
  FakeDaemon daemon(socket());
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("task_sample").size() == 3; }));
  tell();
  sender->finish(60 * kNsPerSecond);
  ASSERT_TRUE(eventually([&] { return daemon.of_type("task_sample").size() == 4; }));
  const auto lines = daemon.of_type("task_sample");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_THAT(lines[i], ::testing::HasSubstr("\"number\":" + std::to_string(i + 1) + "}"));
  }
  EXPECT_EQ(sender->task_samples.lost().untaken, 0U);
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

// ---- The segment ----------------------------------------------------------------------------------------

ino_t inode_of(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

TEST_F(SenderTest, EachHelloBringsTheSegment) {
  const auto sender = make();
  for (int life = 0; life < 3; ++life) {
    FakeDaemon daemon(socket());
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("run_start").size() == 1; }));
    ASSERT_NE(daemon.segment(), -1);
    EXPECT_EQ(inode_of(daemon.segment()), inode_of(sender->segment.descriptor()));
  }
}

TEST_F(SenderTest, NamesEveryStreamInItsHello) {
  const auto sender = make(std::size_t{8} << 20);
  for (std::uint32_t stream = 0; stream < limits::kMetricsStream; ++stream) push(*sender, 1, stream);
  push_samples(*sender);
  FakeDaemon daemon(socket(), true, Answers::welcome);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == limits::kMetricsStream; }));
  const std::string hello = daemon.of_type("hello")[0];
  EXPECT_GT(hello.size(), limits::kPlainLine);
  EXPECT_LE(hello.size(), limits::kHelloLine);
  EXPECT_THAT(hello, ::testing::HasSubstr(R"({"stream":4095,"first_seq":1}])"));
  EXPECT_EQ(daemon.missing(), 0U);
}

// What the store may have had can't be sent again, nor known to be there.
TEST_F(SenderTest, GoesOnAsAnotherClientWhereItsStoreHasForgottenIt) {
  FakeStore store;
  const auto sender = make();
  {
    FakeDaemon daemon(socket(), true, Answers::all, &store);
    push(*sender, 10);
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 10; }));
    daemon.save();
    ASSERT_TRUE(pump_until(*sender, [&] { return sender->outbox.queue().empty(); }));
    push(*sender, 5);
    push_samples(*sender);
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.samples().size() == kRows; }));
  }
  push(*sender, 3);  // was sent to nobody
  store.folded.clear();
  FakeDaemon daemon(socket(), true, Answers::all, &store);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 10 + 3; }));
  EXPECT_EQ(daemon.missing(), 0U);
  EXPECT_EQ(losses_.count(Loss::socket_expired), 5U);
  EXPECT_EQ(sender->lost_samples(), kRows);
  const auto hellos = daemon.of_type("hello");
  ASSERT_EQ(hellos.size(), 2U);
  EXPECT_THAT(hellos[0], ::testing::HasSubstr(std::string(kClientId)));
  EXPECT_THAT(hellos[1], ::testing::HasSubstr(sender->segment.client_id()));
  EXPECT_NE(sender->segment.client_id(), kClientId);
  EXPECT_EQ(sender->segment.store_id(), store.id);
  ASSERT_TRUE(pump_until(*sender, [&] { return !daemon.of_type("heartbeat").empty(); }));
  EXPECT_THAT(daemon.of_type("heartbeat").back(),
              ::testing::HasSubstr(R"("total":{"socket":{"expired":5}})"));
}

// One that was killed before it could write anything down: nothing of ours can be there.
TEST_F(SenderTest, IsNotForgottenByAStoreThatNeverKeptAnything) {
  FakeStore store;
  const auto sender = make();
  {
    FakeDaemon daemon(socket(), true, Answers::all, &store);
    push(*sender, 10);
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 10; }));
  }
  FakeDaemon daemon(socket(), true, Answers::all, &store);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 10; }));
  EXPECT_EQ(losses_.count(Loss::socket_expired), 0U);
  EXPECT_EQ(sender->segment.client_id(), kClientId);
}

// One that had to make room for others may have counted what it never said that it keeps.
TEST_F(SenderTest, GoesOnAsAnotherClientWhereItIsToldThatItIsForgotten) {
  FakeStore store;
  const auto sender = make();
  {
    FakeDaemon daemon(socket(), true, Answers::all, &store);
    push(*sender, 10);
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 10; }));
  }
  push(*sender, 2);  // was sent to nobody
  store.forgotten.insert(std::string(kClientId));
  FakeDaemon daemon(socket(), true, Answers::all, &store);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 2; }));
  EXPECT_EQ(losses_.count(Loss::socket_expired), 10U);
  EXPECT_NE(sender->segment.client_id(), kClientId);
}

TEST_F(SenderTest, AfterAnAbsenceOfAnHourIsForgottenByOneThatDoesNotKnowIt) {
  FakeStore store;
  const auto sender = make();
  {
    FakeDaemon daemon(socket(), true, Answers::all, &store);
    push(*sender, 10);
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 10; }));
  }
  sender->pump();  // sees that it is gone
  clock_.advance(limits::kClientIdleNs);
  FakeDaemon daemon(socket(), true, Answers::all, &store);
  ASSERT_TRUE(pump_until(*sender, [&] { return losses_.count(Loss::socket_expired) == 10; }));
  push(*sender, 2);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 2; }));
}

TEST_F(SenderTest, AnotherStoreGetsWhatIsStillQueued) {
  FakeStore first;
  FakeStore second;
  const auto sender = make();
  {
    FakeDaemon daemon(socket(), true, Answers::all, &first);
    push(*sender, 10);
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 10; }));
    daemon.save();
    ASSERT_TRUE(pump_until(*sender, [&] { return sender->segment.is_confirmed(); }));
    push(*sender, 5);
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 15; }));
  }
  FakeDaemon daemon(socket(), true, Answers::all, &second);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 5; }));
  EXPECT_EQ(daemon.missing(), 0U);
  EXPECT_EQ(sender->segment.store_id(), second.id);
  EXPECT_FALSE(sender->segment.is_confirmed());
  EXPECT_EQ(total(losses_.totals()), 0U);
}

// A daemon that writes down only now and then, killed and started anew again and again: each operation is
// in its store once, in the end.
TEST_F(SenderTest, EachOperationCountsOnceWhateverItsDaemonsForget) {
  FakeStore store;
  const auto sender = make();
  std::uint64_t queued = 0;
  std::mt19937 random(1);
  for (int life = 0; life < 30; ++life) {
    FakeDaemon daemon(socket(), true, Answers::all, &store);
    for (int step = 0; step < 20; ++step) {
      queued += push(*sender, random() % 50, static_cast<std::uint32_t>(random() % 3));
      clock_.advance(kNsPerSecond / 100);
      sender->pump();
      if (random() % 8 == 0) daemon.save();
    }
    EXPECT_EQ(daemon.missing(), 0U);
  }
  FakeDaemon daemon(socket(), true, Answers::all, &store);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == queued; }));
  daemon.save();
  ASSERT_TRUE(pump_until(*sender, [&] { return sender->outbox.queue().empty(); }));
  EXPECT_EQ(store.operations, queued);
  EXPECT_EQ(daemon.missing(), 0U);
  EXPECT_EQ(total(losses_.totals()), 0U);
}

// A daemon that writes down once a second would else have no more of it in that second.
TEST_F(SenderTest, AsksForAnAckBeforeTheQueueIsFull) {
  FakeDaemon daemon(socket(), true, Answers::welcome);
  const auto sender = make(64 * 1024);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("run_start").size() == 1; }));
  for (int i = 0; i < 500; ++i) {
    push(*sender, 100);
    const auto drained = [&] {
      return sender->outbox.queue().all_sent() && !sender->outbox.queue().awaits_much();
    };
    ASSERT_TRUE(pump_until(*sender, drained));
  }
  EXPECT_EQ(total(losses_.totals()), 0U);
  EXPECT_GT(daemon.of_type("flush").size(), 5U);
  EXPECT_LT(daemon.of_type("flush").size(), 400U);
}

// With a segment that has a name.
class NamedSenderTest : public SenderTest {
 protected:
  void SetUp() override {
    if (!std::filesystem::is_directory("/dev/shm")) GTEST_SKIP() << "there is no tmpfs to be had";
    shared_.emplace("/dev/shm");
  }
  std::unique_ptr<Client> make_named() {
    auto client = make(std::size_t{1} << 20, {directory()});
    client->segment.set_run("r1", {"{}\n", "", "", "", ""});
    return client;
  }
  [[nodiscard]] std::filesystem::path directory() const { return shared_->path() / "segments"; }
  [[nodiscard]] std::size_t names() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory()),
                                                  std::filesystem::directory_iterator()));
  }
  // As another process sees it.
  static bool is_locked(const std::string& path) {
    const pid_t child = ::fork();
    if (child == 0) {
      const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
      struct flock lock {};
      lock.l_type = F_WRLCK;
      lock.l_len = 1;
      ::_exit(fd < 0 || ::fcntl(fd, F_GETLK, &lock) != 0 ? 2 : lock.l_type == F_UNLCK ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_NE(WEXITSTATUS(status), 2);
    return WEXITSTATUS(status) == 1;
  }

  std::optional<support::TemporaryDirectory> shared_;
};

TEST_F(NamedSenderTest, TheNameGoesOnceAllIsAcknowledged) {
  FakeDaemon daemon(socket(), true, Answers::welcome);  // acknowledges what it is asked to
  const auto sender = make_named();
  ASSERT_EQ(names(), 1U);
  EXPECT_TRUE(is_locked(sender->segment.path()));
  push(*sender, 10);
  sender->finish(60 * kNsPerSecond);
  EXPECT_EQ(names(), 0U);
  EXPECT_TRUE(eventually([&] { return daemon.of_type("bye").size() == 1; }));
  EXPECT_THAT(sender->warnings(), ::testing::IsEmpty());
}

TEST_F(NamedSenderTest, WhatIsNotAcknowledgedStaysForTheDaemonAndIsNoLoss) {
  FakeDaemon daemon(socket(), true, Answers::never);
  auto sender = make_named();
  push(*sender, 10);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 10; }));
  push(*sender, 3);
  const std::string path = sender->segment.path();
  sender->finish(0);
  EXPECT_EQ(total(losses_.totals()), 0U);
  EXPECT_THAT(sender->warnings(), ::testing::ElementsAre(::testing::AllOf(
                                      ::testing::HasSubstr("13 operations"), ::testing::HasSubstr(path))));
  EXPECT_FALSE(is_locked(path));  // others may have it
  EXPECT_EQ(sender->outbox.queue().sum().operations, 13U);
  sender.reset();
  EXPECT_TRUE(std::filesystem::exists(path));
}

// Nobody would ever look for it, as far as is known.
TEST_F(NamedSenderTest, WithoutADaemonNothingIsLeftBehind) {
  const auto sender = make_named();
  push(*sender, 10);
  sender->finish(60 * kNsPerSecond);
  EXPECT_EQ(losses_.count(Loss::socket_no_daemon), 10U);
  EXPECT_EQ(names(), 0U);
}

TEST_F(NamedSenderTest, TheNameIsTheClients) {
  FakeStore store;
  const auto sender = make_named();
  {
    FakeDaemon daemon(socket(), true, Answers::all, &store);
    push(*sender, 10);
    ASSERT_TRUE(pump_until(*sender, [&] { return daemon.operations() == 10; }));
    daemon.save();
    ASSERT_TRUE(pump_until(*sender, [&] { return sender->segment.is_confirmed(); }));
  }
  EXPECT_EQ(std::filesystem::path(sender->segment.path()).filename(), kClientId);
  store.folded.clear();
  FakeDaemon daemon(socket(), true, Answers::all, &store);
  ASSERT_TRUE(pump_until(*sender, [&] { return daemon.of_type("run_start").size() == 1; }));
  EXPECT_EQ(names(), 1U);
  EXPECT_EQ(std::filesystem::path(sender->segment.path()).filename(), sender->segment.client_id());
  EXPECT_TRUE(std::filesystem::exists(sender->segment.path()));
  EXPECT_NE(sender->segment.client_id(), kClientId);
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
