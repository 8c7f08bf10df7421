#include "clients.h"

#include <metricsd/models/limits.h>
#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

using Streams = std::vector<ipc::StreamPosition>;

constexpr uid_t kUid = 1000;
constexpr uid_t kOther = 2000;

class ClientsTest : public ::testing::Test {
 protected:
  Result<Client*> greet(const std::string& id, Client::Connection connection, Streams streams = {},
                        std::int64_t now_ns = 0) {
    return greet_of(kUid, id, connection, std::move(streams), now_ns);
  }
  Result<Client*> greet_of(uid_t uid, const std::string& id, Client::Connection connection,
                           Streams streams = {}, std::int64_t now_ns = 0) {
    ipc::HelloMessage hello;
    hello.client_id = id;
    hello.pid = 7;
    hello.streams = std::move(streams);
    gap_ = 0;
    return clients_.greet(uid, hello, connection, now_ns, gap_);
  }

  Advance advance(Client& client, std::uint32_t stream, std::uint64_t first_seq, std::uint64_t count) {
    return clients_.advance(client, {stream, first_seq}, count).value();
  }

  std::uint64_t folded(const Client& client, std::uint32_t stream) const {
    return clients_.progress(client, {{stream, 1}}).at(0).folded;
  }

  // As many streams as a user may have, where there is no other.
  void fill() {
    std::size_t streams = 0;
    for (std::size_t i = 0; streams < limits::kClientStreams / 2; ++i, streams += limits::kStreams) {
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

TEST_F(ClientsTest, TheGreediestMakesRoomForOthers) {
  clients_.leave(*greet_of(kOther, "longest idle", 0).value(), 0, 0);
  for (std::size_t i = 1; i < limits::kClients; ++i) {
    clients_.leave(*greet(std::to_string(i), i, {}, 1).value(), i, 1);
  }
  ASSERT_TRUE(greet_of(kOther, "new", 1, {}, 2));
  EXPECT_EQ(clients_.find(kUid, "1"), nullptr);
  for (std::size_t i = 0; i < limits::kClients; ++i) {
    clients_.leave(*greet("again" + std::to_string(i), 1, {}, 2).value(), 1, 2);
  }
  EXPECT_NE(clients_.find(kOther, "longest idle"), nullptr);
  EXPECT_NE(clients_.find(kOther, "new"), nullptr);
  EXPECT_EQ(clients_.size(), limits::kClients);
}

TEST_F(ClientsTest, NobodyMakesRoomForWhoHasMore) {
  clients_.leave(*greet_of(kOther, "idle", 0).value(), 0, 0);
  for (std::size_t i = 1; i < limits::kClients; ++i) ASSERT_TRUE(greet(std::to_string(i), i));
  EXPECT_EQ(greet("one more", 1).error(), Errc::limit_reached);
  EXPECT_NE(clients_.find(kOther, "idle"), nullptr);
  EXPECT_TRUE(greet_of(kOther, "new", 1));  // of its own
  EXPECT_EQ(clients_.find(kOther, "idle"), nullptr);
}

TEST_F(ClientsTest, WhoHadSomethingAndMadeRoomIsRemembered) {
  Client& counted = *greet("counted", 1, {{0, 1}}).value();
  advance(counted, 0, 1, 1);
  clients_.leave(counted, 1, 0);
  clients_.leave(*greet("said hello", 2, {{0, 1}}).value(), 2, 0);
  Client& left = *greet("left", 3, {{0, 1}}).value();
  advance(left, 0, 1, 1);
  clients_.forget(left);
  EXPECT_FALSE(clients_.has_forgotten(kUid, "counted"));
  (void)greet("later", 4, {}, limits::kClientIdleNs).value();
  EXPECT_EQ(clients_.find(kUid, "counted"), nullptr);
  EXPECT_TRUE(clients_.has_forgotten(kUid, "counted"));
  EXPECT_FALSE(clients_.has_forgotten(kOther, "counted"));
  EXPECT_FALSE(clients_.has_forgotten(kUid, "said hello"));
  EXPECT_FALSE(clients_.has_forgotten(kUid, "left"));
  (void)greet("counted", 5).value();
  EXPECT_FALSE(clients_.has_forgotten(kUid, "counted"));
}

TEST_F(ClientsTest, TheNameOfAStreamTakesNoRoom) {
  Streams names;
  for (std::uint32_t stream = 0; stream < limits::kStreams; ++stream) names.push_back({stream, 1});
  for (std::size_t i = 0; i < limits::kClientStreams / limits::kStreams; ++i) {
    ASSERT_TRUE(greet(std::to_string(i), i, names));
  }
  Client& late = *greet("late", 1, names).value();
  EXPECT_EQ(advance(late, 0, 1, 1).known, 0U);
  EXPECT_EQ(advance(late, 1, 3, 1).gap, 2U);
}

TEST_F(ClientsTest, OneUsersStreamsLeaveRoomForThoseOfOthers) {
  fill();
  Client& late = *greet("late", 1).value();
  EXPECT_EQ(clients_.advance(late, {0, 1}, 1).error(), Errc::limit_reached);
  std::vector<uid_t> others{kOther, kOther + 1, kOther + 2};
  for (const uid_t uid : others) {
    for (std::size_t i = 0; i < limits::kClientStreams / limits::kStreams; ++i) {
      Client& client = *greet_of(uid, std::to_string(i), i).value();
      for (std::uint32_t stream = 0; stream < limits::kStreams; ++stream) {
        if (!clients_.advance(client, {stream, 1}, 1)) break;
      }
      client.moved.clear();
    }
  }
  EXPECT_TRUE(clients_.advance(*greet_of(kOther + 3, "a", 1).value(), {0, 1}, 1));
}

TEST_F(ClientsTest, StreamsOfWhoIsGoneMakeRoom) {
  fill();
  clients_.leave(*clients_.find(kUid, "1"), 1, 0);
  Client& late = *greet("late", 2).value();
  EXPECT_TRUE(clients_.advance(late, {0, 1}, 1));
  EXPECT_EQ(clients_.find(kUid, "1"), nullptr);
  EXPECT_TRUE(clients_.has_forgotten(kUid, "1"));
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

// ---- With checkpoints -----------------------------------------------------------------------------------

class KeptClientsTest : public ::testing::Test {
 protected:
  Client& greet(const std::string& id, Client::Connection connection, std::int64_t now_ns = 0) {
    ipc::HelloMessage hello;
    hello.client_id = id;
    hello.pid = 7;
    std::uint64_t gap = 0;
    return *clients_.greet(kUid, hello, connection, now_ns, gap).value();
  }
  void advance(Client& client, std::uint32_t stream, std::uint64_t first_seq, std::uint64_t count) {
    ASSERT_TRUE(clients_.advance(client, {stream, first_seq}, count));
    client.records.folded += count;
  }

  std::string saved(bool whole) {
    std::string bytes;
    StateWriter out(bytes);
    whole ? clients_.save_all(out) : clients_.save_changed(out);
    return bytes;
  }
  static bool load(Clients& into, std::string_view bytes) {
    StateReader in(bytes);
    into.load(in);
    return !in.failed() && in.at_end();
  }
  static ipc::StreamProgress progress(const Clients& clients, const Client& client, std::uint32_t stream) {
    return clients.progress(client, {{stream, 1}}).at(0);
  }

  Clients clients_{Durability::of_checkpoints};
};

TEST_F(KeptClientsTest, WhatIsFoldedIsDurableOnceItIsSettled) {
  Client& client = greet("a", 1);
  advance(client, 0, 1, 10);
  EXPECT_EQ(progress(clients_, client, 0).folded, 10U);
  EXPECT_EQ(progress(clients_, client, 0).durable, 0U);
  (void)saved(false);
  advance(client, 0, 11, 5);  // after the save
  EXPECT_EQ(progress(clients_, client, 0).durable, 0U);
  (void)Clients::take_progress(client);
  EXPECT_EQ(clients_.settle(), std::vector<Client::Connection>{1});
  EXPECT_EQ(progress(clients_, client, 0).durable, 10U);
  const auto told = Clients::take_progress(client);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].folded, 15U);
  EXPECT_EQ(told[0].durable, 10U);
  EXPECT_TRUE(clients_.settle().empty());  // said once
}

TEST_F(KeptClientsTest, WhatCameBeforeUsIsNotOurs) {
  ipc::HelloMessage hello;
  hello.client_id = "a";
  hello.streams = {{3, 100}};
  std::uint64_t gap = 0;
  const Client& client = *clients_.greet(kUid, hello, 1, 0, gap).value();
  EXPECT_EQ(progress(clients_, client, 3).durable, 99U);
}

TEST_F(KeptClientsTest, OnlyWhatChangedIsSaved) {
  for (int i = 0; i < 100; ++i) advance(greet(std::to_string(i), 1), 0, 1, 1);
  const std::size_t all = saved(false).size();
  EXPECT_EQ(saved(false).size(), 3U);
  Client& one = *clients_.find(kUid, "7");
  for (std::uint32_t stream = 0; stream < 50; ++stream) advance(one, stream + 1, 1, 1);
  (void)saved(false);
  advance(one, 9, 2, 1);
  EXPECT_LT(saved(false).size(), all / 50);
}

TEST_F(KeptClientsTest, AReplicaKeepsInStep) {
  Clients replica;
  advance(greet("a", 1), 0, 1, 10);
  advance(greet("b", 2), 5, 1, 3);
  ASSERT_TRUE(load(replica, saved(true)));
  advance(*clients_.find(kUid, "a"), 1, 1, 4);
  clients_.leave(*clients_.find(kUid, "b"), 2, 77);
  ASSERT_TRUE(load(replica, saved(false)));
  const Client& a = *replica.find(kUid, "a");
  EXPECT_EQ(a.records.emitted, 14U);
  EXPECT_EQ(a.records.folded, 14U);
  EXPECT_EQ(a.pid, 7U);
  EXPECT_TRUE(a.connection);
  EXPECT_EQ(progress(replica, a, 0).folded, 10U);
  EXPECT_EQ(progress(replica, a, 1).folded, 4U);
  EXPECT_FALSE(replica.find(kUid, "b")->connection);
  EXPECT_EQ(replica.find(kUid, "b")->idle_since_ns, 77);
}

TEST_F(KeptClientsTest, WhoIsGoneAndCameAgainBeginsAnew) {
  Clients replica;
  advance(greet("a", 1), 0, 1, 10);
  advance(greet("b", 1), 0, 1, 10);
  ASSERT_TRUE(load(replica, saved(false)));
  clients_.forget(*clients_.find(kUid, "a"));
  clients_.forget(*clients_.find(kUid, "b"));
  advance(greet("a", 2), 4, 1, 2);
  ASSERT_TRUE(load(replica, saved(false)));
  EXPECT_EQ(replica.size(), 1U);
  const Client& a = *replica.find(kUid, "a");
  EXPECT_EQ(a.records.emitted, 2U);
  EXPECT_EQ(progress(replica, a, 0).folded, 0U);
  EXPECT_TRUE(clients_.settle().size() == 1);
}

TEST_F(KeptClientsTest, WhoIsForgottenIsSoInTheNextLife) {
  Clients replica;
  for (const std::string id : {"forgotten", "greeted again", "gone for good"}) {
    advance(greet(id, 1), 0, 1, 10);
    clients_.leave(*clients_.find(kUid, id), 1, 0);
  }
  ASSERT_TRUE(load(replica, saved(false)));
  greet("late", 2, limits::kClientIdleNs);
  greet("greeted again", 3, limits::kClientIdleNs);
  clients_.forget(greet("gone for good", 4, limits::kClientIdleNs));
  ASSERT_TRUE(load(replica, saved(false)));
  Clients whole;
  ASSERT_TRUE(load(whole, saved(true)));
  Clients next(Durability::of_checkpoints);
  next.restore(
      whole, [](uid_t, std::string_view) { return true; }, 0);
  Clients others(Durability::of_checkpoints);
  others.restore(
      whole, [](uid_t, std::string_view) { return false; }, 0);
  for (const Clients* each : {&clients_, &replica, &whole, &next}) {
    EXPECT_TRUE(each->has_forgotten(kUid, "forgotten"));
    EXPECT_FALSE(each->has_forgotten(kUid, "greeted again"));
    EXPECT_FALSE(each->has_forgotten(kUid, "gone for good"));
  }
  EXPECT_FALSE(others.has_forgotten(kUid, "forgotten"));
}

// However many come and go while nobody saves, memory is that of those who are there.
TEST_F(KeptClientsTest, AnEndlessListOfTheGoneIsGivenUp) {
  Clients replica;
  advance(greet("first", 1), 0, 1, 1);
  ASSERT_TRUE(load(replica, saved(false)));
  clients_.forget(*clients_.find(kUid, "first"));
  for (std::size_t i = 0; i < limits::kClients; ++i) clients_.forget(greet(std::to_string(i), 1));
  advance(greet("last", 1), 0, 1, 1);
  const std::string bytes = saved(false);
  EXPECT_LT(bytes.size(), 100U);
  ASSERT_TRUE(load(replica, bytes));
  EXPECT_EQ(replica.size(), 1U);
  EXPECT_NE(replica.find(kUid, "last"), nullptr);
}

TEST_F(KeptClientsTest, TheNextLifeGoesOnFromThem) {
  Clients left;
  advance(greet("connected", 1), 0, 1, 10);
  advance(greet("idle", 2), 0, 1, 20);
  advance(greet("others", 3), 0, 1, 30);
  clients_.leave(*clients_.find(kUid, "idle"), 2, 5);
  ASSERT_TRUE(load(left, saved(true)));

  Clients next(Durability::of_checkpoints);
  next.restore(
      left, [](uid_t, std::string_view id) { return id != "others"; }, 1000);
  EXPECT_EQ(next.size(), 2U);
  const Client& connected = *next.find(kUid, "connected");
  EXPECT_FALSE(connected.connection);
  EXPECT_EQ(connected.idle_since_ns, 1000);  // since its daemon died
  EXPECT_EQ(progress(next, connected, 0).durable, 10U);
  EXPECT_EQ(next.find(kUid, "idle")->idle_since_ns, 5);
  // The one that was idle for an hour goes, whatever life it was in.
  ipc::HelloMessage hello;
  hello.client_id = "new";
  std::uint64_t gap = 0;
  (void)next.greet(kUid, hello, 9, 5 + limits::kClientIdleNs, gap).value();
  EXPECT_EQ(next.find(kUid, "idle"), nullptr);
  EXPECT_NE(next.find(kUid, "connected"), nullptr);
}

TEST_F(KeptClientsTest, AnyBytesAreRead) {
  advance(greet("a", 1), 0, 1, 10);
  advance(greet("d", 4), 0, 1, 1);
  clients_.leave(*clients_.find(kUid, "d"), 4, -limits::kClientIdleNs);
  clients_.leave(greet("b", 2, -1), 2, 5);
  clients_.forget(greet("c", 3, -1));
  greet("e", 5);
  ASSERT_TRUE(clients_.has_forgotten(kUid, "d"));
  const std::string bytes = saved(false);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Clients into;
    EXPECT_FALSE(load(into, std::string_view(bytes).substr(0, size))) << size;
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int flip = 1; flip < 256; ++flip) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      Clients into;
      if (load(into, damaged)) {
        EXPECT_LE(into.size(), 3U);
      }
    }
  }
}

}  // namespace
}  // namespace metricsd::server
