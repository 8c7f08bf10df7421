#include "clients.h"

#include <metricsd/models/limits.h>

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

using Streams = std::vector<ipc::StreamPosition>;

constexpr uid_t kUid = 1000;

class ClientsTest : public ::testing::Test {
 protected:
  Result<Client*> greet(const std::string& id, Client::Connection connection, Streams streams = {},
                        std::int64_t now_ns = 0) {
    ipc::HelloMessage hello;
    hello.client_id = id;
    hello.pid = 7;
    hello.streams = std::move(streams);
    gap_ = 0;
    return clients_.greet(kUid, hello, connection, now_ns, gap_);
  }

  Advance advance(Client& client, std::uint32_t stream, std::uint64_t first_seq, std::uint64_t count) {
    return clients_.advance(client, {stream, first_seq}, count).value();
  }

  std::uint64_t folded(const Client& client, std::uint32_t stream) const {
    return clients_.progress(client, {{stream, 1}}).at(0).folded;
  }

  // As many streams as a shard has room for.
  void fill() {
    std::size_t streams = 0;
    for (std::size_t i = 0; streams < limits::kClientStreams; ++i, streams += limits::kStreams) {
      Client& client = *greet(std::to_string(i), i).value();
      for (std::uint32_t stream = 0; stream < limits::kStreams; ++stream) advance(client, stream, 1, 1);
      client.moved.clear();
    }
  }

  Clients clients_;
  std::uint64_t gap_ = 0;
};

TEST_F(ClientsTest, EachRecordOfAStreamIsNewOnce) {
  Client& client = *greet("a", 1, {{0, 1}}).value();
  Advance moved = advance(client, 0, 1, 10);
  EXPECT_EQ(moved.known, 0U);
  EXPECT_EQ(moved.gap, 0U);
  moved = advance(client, 0, 1, 10);  // again
  EXPECT_EQ(moved.known, 10U);
  moved = advance(client, 0, 6, 10);  // straddles
  EXPECT_EQ(moved.known, 5U);
  moved = advance(client, 0, 20, 5);  // 16 to 19 never came
  EXPECT_EQ(moved.known, 0U);
  EXPECT_EQ(moved.gap, 4U);
  moved = advance(client, 0, 16, 4);  // and are not wanted any more
  EXPECT_EQ(moved.known, 4U);
  EXPECT_EQ(folded(client, 0), 24U);
  EXPECT_EQ(client.records.emitted, 24U);
  EXPECT_EQ(client.records.dropped, 4U);
}

TEST_F(ClientsTest, StreamsKnowNothingOfEachOther) {
  Client& client = *greet("a", 1, {{0, 1}, {7, 1}}).value();
  EXPECT_EQ(advance(client, 7, 1, 1).known, 0U);
  EXPECT_EQ(advance(client, 0, 1, 3).known, 0U);
  EXPECT_EQ(advance(client, 9, 3, 1).gap, 2U);  // one that the hello did not name begins with 1
  EXPECT_EQ(client.records.emitted, 1U + 3U + 3U);
}

TEST_F(ClientsTest, WhatCameBeforeWasAnotherDaemons) {
  Client& client = *greet("a", 1, {{0, 1}, {7, 100}}).value();
  EXPECT_EQ(folded(client, 7), 99U);
  EXPECT_EQ(advance(client, 7, 100, 1).gap, 0U);
  EXPECT_EQ(advance(client, 9, 50, 2).gap, 0U);  // of more streams than a hello has room for
  EXPECT_EQ(advance(client, 9, 55, 1).gap, 3U);
  EXPECT_EQ(client.records.emitted, 1U + 2U + 4U);
  EXPECT_EQ(client.records.dropped, 3U);
}

TEST_F(ClientsTest, WhoNamesAnOldStreamAfterwardsHasNoPastElsewhere) {
  greet("a", 1, {{0, 1}}).value();
  Client& client = *greet("a", 2, {{0, 1}, {7, 100}}).value();
  EXPECT_EQ(folded(client, 7), 99U);
  EXPECT_EQ(advance(client, 9, 3, 1).gap, 2U);
}

TEST_F(ClientsTest, TheLargestJumpIsOneGap) {
  Client& client = *greet("a", 1).value();
  EXPECT_EQ(advance(client, 0, limits::kWhole, 1).gap, limits::kWhole - 1);
  EXPECT_EQ(advance(client, 0, limits::kWhole, 1).known, 1U);
  EXPECT_EQ(client.records.emitted, limits::kWhole);
}

TEST_F(ClientsTest, WhoComesAgainGoesOnWhereItWas) {
  Client* client = greet("a", 1, {{0, 1}}).value();
  advance(*client, 0, 1, 10);
  clients_.leave(*client, 1, 0);
  EXPECT_FALSE(client->connection);
  EXPECT_EQ(greet("a", 2, {{0, 5}}).value(), client);
  EXPECT_EQ(client->connection, 2U);
  EXPECT_EQ(gap_, 0U);
  EXPECT_EQ(folded(*client, 0), 10U);
  clients_.leave(*client, 2, 0);
  greet("a", 3, {{0, 15}}).value();  // has thrown 11 to 14 away
  EXPECT_EQ(gap_, 4U);
  EXPECT_EQ(folded(*client, 0), 14U);
  EXPECT_EQ(client->records.dropped, 4U);
}

TEST_F(ClientsTest, AnOlderConnectionThatEndsTakesNothingAway) {
  Client& client = *greet("a", 1).value();
  greet("a", 2).value();
  clients_.leave(client, 1, 0);
  EXPECT_EQ(client.connection, 2U);
  EXPECT_EQ(clients_.size(), 1U);
}

TEST_F(ClientsTest, AClientIsItsUsersAlone) {
  Client* mine = greet("a", 1).value();
  ipc::HelloMessage hello;
  hello.client_id = "a";
  EXPECT_NE(clients_.greet(kUid + 1, hello, 2, 0, gap_).value(), mine);
  EXPECT_EQ(clients_.find(kUid, "a"), mine);
  EXPECT_EQ(clients_.find(kUid + 2, "a"), nullptr);
}

TEST_F(ClientsTest, ProgressIsToldOnce) {
  Client& client = *greet("a", 1, {{0, 1}, {1, 1}, {2, 1}}).value();
  advance(client, 0, 1, 2);
  advance(client, 2, 1, 3);
  advance(client, 0, 3, 2);
  advance(client, 0, 1, 1);  // takes nothing back
  const auto progress = Clients::take_progress(client);
  ASSERT_EQ(progress.size(), 2U);
  EXPECT_EQ(progress[0].stream, 0U);
  EXPECT_EQ(progress[0].folded, 4U);
  EXPECT_EQ(progress[0].durable, 4U);
  EXPECT_EQ(progress[1].folded, 3U);
  EXPECT_TRUE(Clients::take_progress(client).empty());
}

// A client that has more streams than its hello names must hear of what it sends again in vain.
TEST_F(ClientsTest, ProgressIsToldOfWhatWasKnown) {
  Client& client = *greet("a", 1, {{0, 1}}).value();
  advance(client, 5, 1, 10);
  (void)Clients::take_progress(client);
  greet("a", 2, {{0, 1}}).value();
  EXPECT_TRUE(client.moved.empty());  // the welcome says it
  EXPECT_EQ(advance(client, 5, 1, 4).known, 4U);
  const auto progress = Clients::take_progress(client);
  ASSERT_EQ(progress.size(), 1U);
  EXPECT_EQ(progress[0].stream, 5U);
  EXPECT_EQ(progress[0].folded, 10U);
  EXPECT_EQ(client.records.emitted, 10U);
}

TEST_F(ClientsTest, WhoSaidByeIsForgotten) {
  Client& client = *greet("a", 1, {{0, 1}}).value();
  advance(client, 0, 1, 10);
  clients_.forget(client);
  EXPECT_EQ(clients_.size(), 0U);
  EXPECT_EQ(folded(*greet("a", 2, {{0, 1}}).value(), 0), 0U);
}

TEST_F(ClientsTest, IdleOnesGoAfterAWhile) {
  Client* idle = greet("idle", 1).value();
  clients_.leave(*idle, 1, 0);
  (void)greet("connected", 2).value();
  (void)greet("late", 3, {}, limits::kClientIdleNs - 1).value();
  EXPECT_NE(clients_.find(kUid, "idle"), nullptr);
  (void)greet("later", 4, {}, limits::kClientIdleNs).value();
  EXPECT_EQ(clients_.find(kUid, "idle"), nullptr);
  EXPECT_NE(clients_.find(kUid, "connected"), nullptr);
}

TEST_F(ClientsTest, TheLongestIdleMakesRoomAndNobodyWhoIsConnected) {
  for (std::size_t i = 0; i < limits::kClients; ++i) {
    Client& client = *greet(std::to_string(i), i).value();
    if (i == 5 || i == 3) clients_.leave(client, i, static_cast<std::int64_t>(i));
  }
  ASSERT_TRUE(greet("one", 1));
  EXPECT_EQ(clients_.find(kUid, "3"), nullptr);
  EXPECT_NE(clients_.find(kUid, "5"), nullptr);
  ASSERT_TRUE(greet("two", 2));
  EXPECT_EQ(greet("three", 3).error(), Errc::limit_reached);
  EXPECT_EQ(clients_.size(), limits::kClients);
}

TEST_F(ClientsTest, StreamsAreBounded) {
  fill();
  Client& late = *greet("late", 1, {{0, 1}}).value();
  EXPECT_EQ(clients_.advance(late, {0, 1}, 1).error(), Errc::limit_reached);
  clients_.forget(*clients_.find(kUid, "0"));
  EXPECT_TRUE(clients_.advance(late, {0, 2}, 1));
}

TEST_F(ClientsTest, WhatFindsNoRoomIsAcknowledgedAndNoGapLater) {
  fill();
  Client& late = *greet("late", 1, {{0, 1}}).value();
  EXPECT_EQ(clients_.advance(late, {0, 1}, 10).error(), Errc::limit_reached);
  EXPECT_EQ(clients_.advance(late, {0, 11}, 5).error(), Errc::limit_reached);
  EXPECT_EQ(late.records.emitted, 15U);
  const auto progress = Clients::take_progress(late);
  ASSERT_EQ(progress.size(), 1U);
  EXPECT_EQ(progress[0].folded, 15U);
  EXPECT_EQ(progress[0].durable, 15U);
  clients_.forget(*clients_.find(kUid, "0"));
  EXPECT_EQ(advance(late, 0, 16, 1).gap, 0U);
  EXPECT_EQ(late.records.emitted, 16U);
  EXPECT_EQ(late.records.dropped, 0U);
}

TEST_F(ClientsTest, TheReportNamesTheConnectedFirst) {
  for (Client::Connection i = 0; i < 10; ++i) {
    Client& client = *greet(std::to_string(i), i).value();
    if (i >= 5) clients_.leave(client, i, static_cast<std::int64_t>(i));
  }
  std::vector<ClientReport> report;
  clients_.report(report, 7);
  ASSERT_EQ(report.size(), 7U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_TRUE(report[i].connected);
  EXPECT_EQ(report[5].client_id, "9");
  EXPECT_EQ(report[6].client_id, "8");
  EXPECT_EQ(report[6].uid, kUid);
  EXPECT_EQ(report[6].pid, 7U);
}

}  // namespace
}  // namespace metricsd::server
