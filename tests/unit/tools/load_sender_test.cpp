#include "connection.h"
#include "dialect.h"
#include "sender.h"

#include <metricsd/ipc/decoder.h>
#include <metricsd/models/limits.h>
#include <metricsd/support/temporary_directory.h>

#include <algorithm>
#include <array>
#include <functional>
#include <future>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::load {
namespace {

using namespace std::chrono_literals;

// A peer in a thread: what it does with its one connection, and what it has read.
class Peer {
 public:
  // `answer` is told what came and gives what is answered.
  using Answer = std::function<std::string(std::string_view)>;

  explicit Peer(Answer answer, std::size_t max_bytes = SIZE_MAX)
      : listener_(path()),
        read_(std::async(std::launch::async, [this, answer = std::move(answer), max_bytes] {
          return serve(answer, max_bytes);
        })) {}

  [[nodiscard]] std::string path() const { return (directory_.path() / "peer.sock").string(); }
  [[nodiscard]] std::string read() { return read_.get(); }

 private:
  std::string serve(const Answer& answer, std::size_t max_bytes) const {
    Connection connection = listener_.accept();
    std::string all;
    std::array<char, 4096> buffer{};
    while (all.size() < max_bytes) {
      const std::size_t taken = connection.read(buffer);
      if (taken == 0) break;
      all.append(buffer.data(), taken);
      connection.write(answer({buffer.data(), taken}));
    }
    return all;
  }

  support::TemporaryDirectory directory_;
  Listener listener_;
  std::future<std::string> read_;
};

SendOptions to(const Peer& peer, std::string_view dialect) {
  SendOptions options;
  options.dialect = find_dialect(dialect);
  options.address.unix_path = peer.path();
  options.events_a_write = 8;
  options.max_events = 20'000;
  options.max_duration = 1h;
  return options;
}

TEST(Sender, SendsWholeWritesUntilTheyAreEnoughAndWaitsForThePeersEnd) {
  Peer peer([](std::string_view) { return std::string(); });
  const Sent sent = send(to(peer, "metricsd-line"));
  EXPECT_EQ(sent.events, 20'000);
  EXPECT_EQ(sent.writes, 2500);
  const std::string read = peer.read();
  EXPECT_EQ(sent.bytes, read.size());
  EXPECT_EQ(std::count(read.begin(), read.end(), '\n'), 20'000);
}

TEST(Sender, EndsWhenItsTimeIsOver) {
  Peer peer([](std::string_view) { return std::string(); });
  SendOptions options = to(peer, "statsd");
  options.max_events = 0;
  options.max_duration = 20ms;
  EXPECT_GT(send(options).events, 0);
}

TEST(Sender, GreetsAndSendsConsecutiveBatchesWhateverIsAnswered) {
  bool welcomed = false;
  Peer peer([&welcomed](std::string_view) -> std::string {
    if (!welcomed) {
      welcomed = true;
      return "{\"type\":\"welcome\"}\n";
    }
    return "{\"type\":\"ack\"}\n";
  });
  EXPECT_EQ(send(to(peer, "metricsd-batch")).events, 20'000);

  const std::string read = peer.read();
  ipc::Decoder decoder(limits::kBatchLine);
  decoder.feed(read);
  ASSERT_EQ(decoder.next(), ipc::Decoder::Step::message);
  const auto* hello = std::get_if<ipc::HelloMessage>(&decoder.message());
  ASSERT_NE(hello, nullptr);
  const std::uint64_t first_seq = hello->streams.at(0).first_seq;
  std::uint64_t next_seq = first_seq;
  while (decoder.next() == ipc::Decoder::Step::batch) {
    ASSERT_FALSE(decoder.batch().refusal);
    ASSERT_EQ(decoder.batch().first_seq, next_seq);
    next_seq += decoder.batch().count;
  }
  EXPECT_EQ(next_seq, first_seq + 20'000);
}

TEST(Sender, HasNoMoreThanSomeEventsUnanswered) {
  constexpr std::size_t kMost = (64 + 8) * 3;  // PUTVALs: 64 events, and the write that went beyond
  std::size_t unanswered = 0;
  std::size_t most = 0;
  Peer peer([&](std::string_view bytes) {
    unanswered += static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    most = std::max(most, unanswered);
    std::string answers;
    if (unanswered < kMost) return answers;  // as long as a sender may still go on
    for (; unanswered > 0; --unanswered) answers += "0 Success: 1 value has been dispatched.\n";
    return answers;
  });
  SendOptions options = to(peer, "collectd");
  options.max_events = 72 * 10;
  EXPECT_EQ(send(options).events, 72 * 10);
  EXPECT_THAT(peer.read(), testing::EndsWith("\n"));
  EXPECT_EQ(most, kMost);
}

TEST(Sender, SaysSoWhereThePeerGoesBeforeTheEnd) {
  Peer peer([](std::string_view) { return std::string(); }, 10'000);
  SendOptions options = to(peer, "metricsd-line");
  options.max_events = 10'000'000;
  EXPECT_THROW((void)send(options), std::system_error);
}

TEST(Sender, SaysSoWhereNobodyListens) {
  SendOptions options;
  options.dialect = find_dialect("statsd");
  options.address.unix_path = "/nowhere/peer.sock";
  EXPECT_THROW((void)send(options), std::system_error);
}

}  // namespace
}  // namespace metricsd::load
