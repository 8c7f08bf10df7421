// The acknowledged protocol on real sockets: whatever is sent again, lied about or cut, each record counts
// once, and of each client emitted = folded + rejected + dropped.

#include <metricsd/ipc/batch.h>
#include <metricsd/ipc/encoder.h>
#include <metricsd/models/json/document.h>
#include <metricsd/models/limits.h>
#include <metricsd/support/daemon_process.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/value.hpp>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace metricsd::support {
namespace {

namespace json = boost::json;

std::string id_of(int client) {
  std::string id(32, '0');
  const std::string digits = std::to_string(client);
  return id.replace(id.size() - digits.size(), digits.size(), digits);
}

std::string hello(int client, std::vector<ipc::StreamPosition> streams = {{0, 1}}) {
  ipc::HelloMessage message;
  message.client_id = id_of(client);
  message.pid = 4711;
  message.streams = std::move(streams);
  std::string line;
  ipc::encode(line, message);
  return line;
}

std::string batch(std::uint64_t first_seq, std::uint64_t count, std::uint32_t stream = 0) {
  ipc::BatchEncoder encoder;
  encoder.begin(stream, first_seq);
  for (std::uint64_t i = 0; i < count; ++i) {
    encoder.add(encoder.shared({.operation_type = "upload", .success = i % 10 != 0}), 1'000'000, 100, 0);
  }
  std::string line;
  encoder.finish(line);
  return line;
}

const std::string kFlush = "{\"type\":\"flush\"}\n";

// A peer that reads its answers.
class Peer {
 public:
  explicit Peer(const DaemonProcess& daemon) : socket_(daemon.connect()) {}

  void send(const std::string& lines) { ASSERT_TRUE(socket_.send(lines)); }
  json::value answer() {
    while (unread_.find('\n') == std::string::npos) {
      const std::string more = socket_.receive_until("\n");
      if (more.empty()) return nullptr;  // closed
      unread_ += more;
    }
    const std::size_t end = unread_.find('\n');
    const auto parsed = parse_json(unread_.substr(0, end));
    unread_.erase(0, end + 1);
    return parsed ? *parsed : json::value();
  }
  // How far the one stream is of which an answer tells next. Those to a flush may tell of none: the daemon
  // has told already.
  std::uint64_t folded() {
    while (true) {
      const json::value said = answer();
      if (said.is_null()) return 0;
      const json::array& streams = said.at("streams").as_array();
      if (!streams.empty()) return streams.at(0).at("folded").to_number<std::uint64_t>();
    }
  }
  bool is_closed() { return answer().is_null(); }
  Socket& socket() { return socket_; }

 private:
  Socket socket_;
  std::string unread_;
};

json::value client_in_status(const DaemonProcess& daemon, int client) {
  const auto status = parse_json(daemon.status());
  for (const json::value& each : status->at("clients").as_array()) {
    if (each.at("client_id").as_string() == id_of(client)) return each;
  }
  return nullptr;
}

void expect_ledger(const DaemonProcess& daemon, int client, std::uint64_t folded, std::uint64_t rejected,
                   std::uint64_t dropped) {
  const json::value ledger = client_in_status(daemon, client);
  ASSERT_FALSE(ledger.is_null());
  EXPECT_EQ(ledger.at("folded").to_number<std::uint64_t>(), folded);
  EXPECT_EQ(ledger.at("rejected").to_number<std::uint64_t>(), rejected);
  EXPECT_EQ(ledger.at("dropped").to_number<std::uint64_t>(), dropped);
  EXPECT_EQ(ledger.at("emitted").to_number<std::uint64_t>(), folded + rejected + dropped);
}

TEST(Delivery, BatchesAreCountedAndAcknowledged) {
  const DaemonProcess daemon;
  Peer peer(daemon);
  peer.send(hello(1) + batch(1, 100) + kFlush);
  const json::value welcome = peer.answer();
  EXPECT_EQ(welcome.at("type").as_string(), "welcome");
  EXPECT_EQ(welcome.at("protocol").to_number<int>(), 1);
  EXPECT_EQ(welcome.at("store_id").as_string().size(), 32U);
  EXPECT_TRUE(welcome.at("streams").as_array().empty());  // it is new to the daemon
  const json::value ack = peer.answer();
  EXPECT_EQ(ack.at("type").as_string(), "ack");
  EXPECT_EQ(ack.at("streams").at(0).at("folded").to_number<int>(), 100);
  EXPECT_EQ(ack.at("streams").at(0).at("durable").to_number<int>(), 100);

  peer.send(batch(101, 10));
  EXPECT_EQ(peer.folded(), 110U);  // unasked for
  peer.send(kFlush);
  EXPECT_EQ(peer.answer().at("streams").as_array().size(), 0U);  // nothing has moved

  const ExpositionPage page = daemon.scrape();
  EXPECT_EQ(page.sum("workload_operations_total"), 110);
  EXPECT_EQ(page.sum("workload_operations_total", {{"status", "failure"}}), 11);
  EXPECT_EQ(page.sum("metricsd_ingest_operations_total", {{"delivery", "acknowledged"}}), 110);
  EXPECT_EQ(page.sum("metricsd_ingest_operations_total", {{"delivery", "unacknowledged"}}), 0);
  EXPECT_EQ(page.sum("metricsd_rejected_total"), 0);
  expect_ledger(daemon, 1, 110, 0, 0);
}

TEST(Delivery, ADaemonStartedAnewIsAnotherStore) {
  std::set<std::string> stores;
  for (int i = 0; i < 2; ++i) {
    const DaemonProcess daemon;
    for (int connection = 0; connection < 2; ++connection) {
      Peer peer(daemon);
      peer.send(hello(connection));
      stores.emplace(peer.answer().at("store_id").as_string());
    }
  }
  EXPECT_EQ(stores.size(), 2U);
}

TEST(Delivery, WhatIsSentAgainCountsOnce) {
  const DaemonProcess daemon;
  {
    Peer peer(daemon);
    peer.send(hello(1) + batch(1, 50) + kFlush);
    (void)peer.answer();
    EXPECT_EQ(peer.folded(), 50U);
    const std::string cut = batch(51, 100);
    peer.send(cut.substr(0, cut.size() / 2));
  }
  Peer peer(daemon);
  peer.send(hello(1) + batch(1, 50) + batch(31, 100) + batch(140, 10) + kFlush);  // 131 to 139 are lost
  EXPECT_EQ(peer.folded(), 50U);
  EXPECT_EQ(peer.folded(), 149U);
  EXPECT_EQ(daemon.scrape().sum("workload_operations_total"), 140);
  EXPECT_EQ(daemon.scrape().sum("metricsd_dropped_total", {{"sink", "socket"}, {"cause", "gap"}}), 9);
  expect_ledger(daemon, 1, 140, 0, 9);
}

// A client may have more streams than its hello has room for.
TEST(Delivery, WhatNoHelloNamesIsAcknowledgedAgain) {
  {
    const DaemonProcess daemon;
    Peer(daemon).send(hello(1) + batch(1, 50, 9));
    ASSERT_TRUE(eventually([&] { return daemon.scrape().sum("workload_operations_total") == 50; }));
    Peer peer(daemon);
    peer.send(hello(1) + kFlush);
    (void)peer.answer();
    EXPECT_EQ(peer.answer().at("streams").as_array().size(), 0U);
    peer.send(batch(1, 50, 9) + kFlush);
    EXPECT_EQ(peer.folded(), 50U);
    expect_ledger(daemon, 1, 50, 0, 0);
  }
  const DaemonProcess anew;
  Peer peer(anew);
  peer.send(hello(1, {{0, 20}}) + batch(51, 10, 9) + kFlush);
  (void)peer.answer();
  EXPECT_EQ(peer.folded(), 60U);
  expect_ledger(anew, 1, 10, 0, 0);
}

TEST(Delivery, AHelloClosesTheClientsOlderConnection) {
  const DaemonProcess daemon;
  Peer older(daemon);
  older.send(hello(1) + batch(1, 10) + kFlush);
  (void)older.answer();
  EXPECT_EQ(older.folded(), 10U);
  Peer newer(daemon);
  newer.send(hello(1));
  EXPECT_EQ(newer.folded(), 10U);
  EXPECT_TRUE(older.is_closed());
  newer.send(batch(11, 5) + kFlush);
  EXPECT_EQ(newer.folded(), 15U);
  EXPECT_EQ(daemon.scrape().value("metricsd_connections"), 1);
}

TEST(Delivery, ByeForgetsTheClient) {
  const DaemonProcess daemon;
  Peer peer(daemon);
  peer.send(hello(1) + batch(1, 10) + "{\"type\":\"bye\"}\n" + batch(11, 5));
  ASSERT_TRUE(eventually([&] { return daemon.scrape().sum("metricsd_rejected_total") == 5; }));
  EXPECT_TRUE(client_in_status(daemon, 1).is_null());
  EXPECT_EQ(daemon.scrape().sum("workload_operations_total"), 10);
}

// What is refused is counted in operations, and the stream goes on.
TEST(Delivery, LiesAreCountedInOperations) {
  const DaemonProcess daemon;
  const auto lie = [](std::uint64_t first_seq, const std::string& shared, const std::string& rows) {
    return R"({"type":"batch","stream":0,"first_seq":)" + std::to_string(first_seq) +
           R"(,"count":3,"shared":[)" + shared + R"(],"fields":["duration_ns"],"rows":[)" + rows + "]}\n";
  };
  const std::string shared = R"({"operation_type":"upload","success":true})";
  Peer peer(daemon);
  peer.send(hello(1) + lie(1, shared, "[0,1],[0,1]") + lie(4, shared, "[0,1],[0,1],[1,1]") +
            lie(7, shared, "[0,1],[0,1],[0,1,2]") +
            lie(10, R"({"operation_type":"a b","success":true})", "") + lie(13, shared, "[0,1],[0,-1],null") +
            lie(14, shared, "[0,1],[0,1],[0,1]") + kFlush);
  (void)peer.answer();
  EXPECT_EQ(peer.folded(), 16U);
  const ExpositionPage page = daemon.scrape();
  EXPECT_EQ(page.sum("workload_operations_total"), 2);
  EXPECT_EQ(page.sum("metricsd_rejected_total", {{"reason", "inconsistent_batch"}}), 9);
  EXPECT_EQ(page.sum("metricsd_rejected_total", {{"reason", "invalid_characters"}}), 3);
  EXPECT_EQ(page.sum("metricsd_rejected_total", {{"reason", "out_of_range"}}), 1);
  expect_ledger(daemon, 1, 2, 13, 1);
}

TEST(Delivery, OnlyWhoSaidHelloMaySpeakOfStreams) {
  const DaemonProcess daemon;
  Peer peer(daemon);
  peer.send(batch(1, 10) + hello(1) + kFlush + "{\"type\":\"bye\"}\n" + batch(1, 7));
  ASSERT_TRUE(eventually([&] {
    return daemon.scrape().sum("metricsd_rejected_total", {{"reason", "unexpected_message"}}) == 20;
  }));
  EXPECT_EQ(daemon.scrape().sum("workload_operations_total"), 0);
  Peer twice(daemon);
  twice.send(hello(2) + hello(2) + batch(1, 1) + kFlush);
  (void)twice.answer();
  EXPECT_EQ(twice.folded(), 1U);
  EXPECT_EQ(daemon.scrape().sum("metricsd_rejected_total"), 21);
}

TEST(Delivery, AnotherProtocolIsToldOursAndLetGo) {
  const DaemonProcess daemon;
  Peer peer(daemon);
  std::string later = hello(1);
  later.replace(later.find("\"protocol\":1"), 12, "\"protocol\":2");
  peer.send(later + batch(1, 10));
  const json::value welcome = peer.answer();
  EXPECT_EQ(welcome.at("protocol").to_number<int>(), 1);
  EXPECT_TRUE(welcome.at("streams").as_array().empty());
  EXPECT_TRUE(peer.is_closed());
  EXPECT_TRUE(client_in_status(daemon, 1).is_null());
  EXPECT_EQ(daemon.scrape().sum("metricsd_rejected_total", {{"reason", "unsupported_protocol"}}), 1);
}

TEST(Delivery, TheGreatestNumberIsOneGap) {
  const DaemonProcess daemon;
  Peer peer(daemon);
  const auto one_row = [](const std::string& first_seq) {
    return R"({"type":"batch","stream":0,"first_seq":)" + first_seq +
           R"(,"count":1,"shared":[{"operation_type":"upload","success":true}],)" +
           R"("fields":["duration_ns"],"rows":[[0,1]]})" + "\n";
  };
  peer.send(hello(1) + one_row("18446744073709551615") + one_row(std::to_string(limits::kWhole - 1)) +
            one_row("1") + kFlush);
  (void)peer.answer();
  EXPECT_EQ(peer.folded(), limits::kWhole - 1);
  EXPECT_EQ(daemon.scrape().sum("metricsd_rejected_total"), 1);
  expect_ledger(daemon, 1, 1, 0, limits::kWhole - 2);
}

TEST(Delivery, AfterAHelloALineMayHaveAMebibyte) {
  const DaemonProcess daemon;
  Peer peer(daemon);
  const std::string long_line = batch(1, limits::kBatchRows);
  ASSERT_GT(long_line.size(), limits::kPlainLine);
  peer.send(hello(1) + long_line + kFlush);
  (void)peer.answer();
  EXPECT_EQ(peer.folded(), limits::kBatchRows);
  peer.send(std::string(limits::kBatchLine + 1, ' ') + "\n" + batch(limits::kBatchRows + 1, 1) + kFlush);
  EXPECT_EQ(peer.folded(), limits::kBatchRows + 1);
  EXPECT_EQ(daemon.scrape().sum("metricsd_rejected_total", {{"reason", "line_too_long"}}), 1);
}

TEST(Delivery, AcksThatAreNeverReadEndTheConnection) {
  const DaemonProcess daemon;
  Socket deaf = daemon.connect();
  ASSERT_TRUE(deaf.send(hello(1)));
  std::string flushes;
  for (int i = 0; i < 1000; ++i) flushes += kFlush;
  bool gone = false;
  for (int i = 0; i < 1000 && !gone; ++i) gone = !deaf.send(flushes);
  EXPECT_TRUE(gone);
  EXPECT_TRUE(eventually([&] { return daemon.scrape().value("metricsd_connections") == 0; }));
}

// The answers find nobody, the lines behind the hello are there all the same.
TEST(Delivery, WhoIsGoneBeforeItsAnswersIsCounted) {
  const DaemonProcess daemon;
  constexpr int kClients = 50;
  const std::string plain = R"({"operation_type":"upload","duration_ms":1,"success":true})";
  ASSERT_EQ(::kill(daemon.pid(), SIGSTOP), 0);
  for (int client = 0; client < kClients; ++client) {
    Socket socket = daemon.connect();
    ASSERT_TRUE(socket.send(hello(client) + batch(1, 10) + kFlush));
    ASSERT_TRUE(socket.send(R"({"type":"status"})"
                            "\n" +
                            plain + "\n"));
  }
  ASSERT_EQ(::kill(daemon.pid(), SIGCONT), 0);
  EXPECT_TRUE(eventually([&] { return daemon.scrape().value("metricsd_connections") == 0; }));
  EXPECT_TRUE(eventually([&] { return daemon.scrape().sum("workload_operations_total") == 11 * kClients; }));
}

class DeliveryByThreads : public ::testing::TestWithParam<int> {};

// Clients come and go, mostly on another thread's connection, and send from what they were told.
TEST_P(DeliveryByThreads, ClientsThatComeAgainAndAgainCountOnce) {
  constexpr int kClients = 8;
  constexpr int kConnections = 20;
  constexpr std::uint64_t kBatch = 100;
  const DaemonProcess daemon({.flags = {"--ingest.threads", std::to_string(GetParam())}});
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> last_folded = 0;
  for (int client = 0; client < kClients; ++client) {
    threads.emplace_back([&, client] {
      std::uint64_t folded = 0;
      for (int connection = 0; connection < kConnections; ++connection) {
        Peer peer(daemon);
        // With the hello goes what will be read behind it, by whatever thread.
        peer.send(hello(client) + batch(folded + 1, kBatch));
        if (connection == 0) {
          EXPECT_TRUE(peer.answer().at("streams").as_array().empty());  // a welcome to who is new
        } else {
          EXPECT_EQ(peer.folded(), folded);
        }
        peer.send(batch(folded + kBatch + 1, kBatch) + batch(folded + 1, kBatch) + kFlush);
        while (folded < 2 * kBatch * static_cast<std::uint64_t>(connection + 1)) {
          const std::uint64_t told = peer.folded();
          ASSERT_GT(told, 0U);
          folded = told;
        }
      }
      last_folded += folded;
    });
  }
  for (std::thread& thread : threads) thread.join();
  constexpr std::uint64_t kAll = kClients * kConnections * 2 * kBatch;
  EXPECT_EQ(last_folded, kAll);
  EXPECT_EQ(daemon.scrape().sum("workload_operations_total"), kAll);
  EXPECT_EQ(daemon.scrape().sum("metricsd_rejected_total"), 0);
  EXPECT_EQ(daemon.scrape().sum("metricsd_dropped_total"), 0);
  for (int client = 0; client < kClients; ++client) expect_ledger(daemon, client, kAll / kClients, 0, 0);
}

INSTANTIATE_TEST_SUITE_P(Threads, DeliveryByThreads, ::testing::Values(1, 4));

}  // namespace
}  // namespace metricsd::support
