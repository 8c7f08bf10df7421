#include <metricsd/exporters/mqtt_sink.h>
#include <metricsd/support/loopback_server.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::exporters {
namespace {

using namespace std::chrono_literals;
using support::LoopbackPeer;
using support::LoopbackServer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kPatience = 30s;

void wait_for(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(2ms);
  ASSERT_TRUE(condition());
}

// One MQTT packet as it came (MQTT 3.1.1, section 2).
struct Packet {
  unsigned type = 0;
  std::string body;
};

constexpr unsigned kConnect = 1;
constexpr unsigned kPublish = 3;

Packet read_packet(const LoopbackPeer& peer) {
  const std::string first = peer.read_all_of(1);
  if (first.empty()) return {};
  std::size_t size = 0;
  for (unsigned shift = 0;; shift += 7) {
    const std::string digit = peer.read_all_of(1);
    if (digit.empty()) return {};
    const auto value = static_cast<unsigned char>(digit[0]);
    size |= static_cast<std::size_t>(value & 0x7FU) << shift;
    if ((value & 0x80U) == 0) break;
  }
  return {static_cast<unsigned char>(first[0]) / 16U, peer.read_all_of(size)};
}

std::string connack(char code) {
  return {'\x20', '\x02', '\0', code};
}

// A broker of so many words: takes connections, keeps the payloads, acknowledges them where it is to.
class Broker {
 public:
  explicit Broker(std::size_t close_before_ack_of = SIZE_MAX)
      : close_before_(close_before_ack_of), server_([this](const LoopbackPeer& peer) { serve(peer); }) {}

  [[nodiscard]] MqttSinkOptions options() const { return {.host = "127.0.0.1", .port = server_.port()}; }
  [[nodiscard]] std::vector<std::string> messages() {
    const std::lock_guard lock(mutex_);
    return messages_;
  }
  // One connection, of whoever took it.
  void serve(const LoopbackPeer& peer) {
    if (read_packet(peer).type != kConnect) return;
    peer.write(connack(0));
    for (Packet packet = read_packet(peer); packet.type != 0; packet = read_packet(peer)) {
      if (packet.type != kPublish) continue;
      const std::size_t topic =
          static_cast<unsigned char>(packet.body[0]) * 256U + static_cast<unsigned char>(packet.body[1]);
      {
        const std::lock_guard lock(mutex_);
        messages_.push_back(packet.body.substr(2, topic) + ' ' + packet.body.substr(topic + 4));
        if (messages_.size() == close_before_) return;
      }
      peer.write(std::string{'\x40', '\x02', packet.body[topic + 2], packet.body[topic + 3]});
    }
  }

 private:
  const std::size_t close_before_;
  std::mutex mutex_;
  std::vector<std::string> messages_;
  LoopbackServer server_;
};

void finish(MqttSink& sink, std::chrono::milliseconds within) {
  sink.end(within);
  while (!sink.wait(kPatience)) {
  }
  sink.leave();
}

TEST(MqttSink, TellsEveryMessage) {
  Broker broker;
  MqttSink sink(broker.options());
  for (int i = 0; i < 100; ++i) sink.publish("a/b", std::to_string(i));
  finish(sink, kPatience);
  EXPECT_EQ(sink.report().told, 100U);
  EXPECT_EQ(sink.report().failed, 0U);
  EXPECT_EQ(sink.report().last_error, "");
  ASSERT_EQ(broker.messages().size(), 100U);
  EXPECT_EQ(broker.messages()[99], "a/b 99");
}

TEST(MqttSink, SendsAgainWhatALostConnectionDidNotAcknowledge) {
  Broker broker(2);
  MqttSink sink(broker.options());
  sink.publish("t", "1");
  wait_for([&] { return sink.report().told == 1; });
  sink.publish("t", "2");
  wait_for([&] { return sink.report().told == 2; });
  finish(sink, kPatience);
  EXPECT_THAT(broker.messages(), ElementsAre("t 1", "t 2", "t 2"));
  EXPECT_EQ(sink.report().failed, 0U);
  EXPECT_NE(sink.report().last_error, "");
}

TEST(MqttSink, NobodyListens) {
  std::mutex mutex;
  std::vector<std::string> said;
  MqttSink sink(
      {.host = "127.0.0.1", .port = support::unused_port(), .say_failure = [&](const std::string& why) {
         const std::lock_guard lock(mutex);
         said.push_back(why);
       }});
  sink.publish("t", "1");
  wait_for([&] { return !sink.report().last_error.empty(); });
  finish(sink, kPatience);  // waits for no more than a last refusal
  EXPECT_EQ(sink.report().told, 0U);
  EXPECT_EQ(sink.report().failed, 1U);
  EXPECT_EQ(sink.report().last_error, "Connection refused");
  EXPECT_THAT(said, ElementsAre("Connection refused"));
}

TEST(MqttSink, TlsWhereNobodyListens) {
  MqttSink sink({.host = "127.0.0.1", .port = support::unused_port(), .tls = true});
  sink.publish("t", "1");
  wait_for([&] { return !sink.report().last_error.empty(); });
  finish(sink, kPatience);
  EXPECT_EQ(sink.report().last_error, "could not connect");
}

TEST(MqttSink, ABrokerThatSpeaksNoTls) {
  const LoopbackServer server([](const LoopbackPeer& peer) {
    static_cast<void>(peer.read(1));
    peer.write("this is no handshake");
    peer.wait_until_gone();
  });
  MqttSink sink({.host = "127.0.0.1", .port = server.port(), .tls = true});
  sink.publish("t", "1");
  wait_for([&] { return !sink.report().last_error.empty(); });
  finish(sink, kPatience);
  EXPECT_THAT(sink.report().last_error, HasSubstr("TLS"));
}

TEST(MqttSink, ABrokerThatRefuses) {
  const LoopbackServer server([](const LoopbackPeer& peer) {
    static_cast<void>(read_packet(peer));
    peer.write(connack(5));
    peer.wait_until_gone();
  });
  MqttSink sink({.host = "127.0.0.1", .port = server.port(), .user = "u", .password = "p"});
  sink.publish("t", "1");
  wait_for([&] { return !sink.report().last_error.empty(); });
  finish(sink, kPatience);
  EXPECT_EQ(sink.report().failed, 1U);
  EXPECT_THAT(sink.report().last_error, HasSubstr("not authorised"));
}

TEST(MqttSink, ABrokerThatAcknowledgesNothing) {
  std::atomic<bool> has_come = false;
  const LoopbackServer server([&](const LoopbackPeer& peer) {
    static_cast<void>(read_packet(peer));
    peer.write(connack(0));
    has_come = read_packet(peer).type == kPublish;
    peer.wait_until_gone();
  });
  MqttSink sink({.host = "127.0.0.1", .port = server.port()});
  sink.publish("t", "1");
  wait_for([&] { return has_come.load(); });
  finish(sink, 100ms);
  EXPECT_EQ(sink.report().failed, 1U);
  EXPECT_EQ(sink.report().last_error, "the broker did not acknowledge it in time");
}

// Its pauses become long: the end does not wait for one, and is worth another attempt.
TEST(MqttSink, ABrokerThatIsBackAtTheEndIsTold) {
  std::atomic<bool> is_back = false;
  Broker broker;
  const LoopbackServer door([&](const LoopbackPeer& peer) {
    if (is_back) broker.serve(peer);
  });
  MqttSink sink({.host = "127.0.0.1", .port = door.port()});
  sink.publish("t", "1");
  wait_for([&] { return door.connections() == 2; });  // and a pause of two seconds begins
  std::this_thread::sleep_for(50ms);
  is_back = true;
  finish(sink, kPatience);
  EXPECT_THAT(broker.messages(), ElementsAre("t 1"));
  EXPECT_EQ(sink.report().told, 1U);
  EXPECT_EQ(sink.report().failed, 0U);
}

// An attempt that hangs makes room for the last one.
TEST(MqttSink, ABrokerThatAnswersTheLastAttempt) {
  Broker broker;
  std::atomic<bool> is_back = false;
  const LoopbackServer door([&](const LoopbackPeer& peer) {
    if (is_back) {
      broker.serve(peer);
    } else {
      peer.wait_until_gone();
    }
  });
  MqttSink sink({.host = "127.0.0.1", .port = door.port()});
  sink.publish("t", "1");
  wait_for([&] { return door.connections() == 1; });
  std::this_thread::sleep_for(600ms);
  is_back = true;
  finish(sink, kPatience);
  EXPECT_THAT(broker.messages(), ElementsAre("t 1"));
}

class SilentBroker : public testing::TestWithParam<bool> {};

TEST_P(SilentBroker, IsGivenUpAtTheEnd) {
  const LoopbackServer server([](const LoopbackPeer& peer) { peer.wait_until_gone(); });
  MqttSink sink({.host = "127.0.0.1", .port = server.port(), .tls = GetParam()});
  sink.publish("t", "1");
  wait_for([&] { return server.connections() == 1; });
  finish(sink, 100ms);
  EXPECT_EQ(sink.report().told, 0U);
  EXPECT_EQ(sink.report().failed, 1U);
  EXPECT_EQ(sink.report().last_error, "no answer from the broker");
}

TEST_P(SilentBroker, HasNotToBeWaitedFor) {
  const LoopbackServer server([](const LoopbackPeer& peer) { peer.wait_until_gone(); });
  MqttSink sink({.host = "127.0.0.1", .port = server.port(), .tls = GetParam()});
  sink.publish("t", "1");
  wait_for([&] { return server.connections() == 1; });
  sink.end(kPatience);
  EXPECT_FALSE(sink.wait(1ms));
  sink.leave();
  EXPECT_EQ(sink.report().failed, 1U);
  EXPECT_EQ(sink.report().last_error, "the waiting was broken off");
}

// Waiting for a peer costs no processor: within a TLS handshake libmosquitto would have us ask again and
// again.
TEST_P(SilentBroker, CostsNothing) {
  const LoopbackServer server([](const LoopbackPeer& peer) { peer.wait_until_gone(); });
  MqttSink sink({.host = "127.0.0.1", .port = server.port(), .tls = GetParam()});
  wait_for([&] { return server.connections() == 1; });
  std::this_thread::sleep_for(100ms);
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(500ms);
  EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 5);
}

INSTANTIATE_TEST_SUITE_P(Plain, SilentBroker, testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Tls, SilentBroker, testing::Values(true));

TEST(MqttSink, TheOldestGoesWhereTooManyWait) {
  MqttSink sink({.host = "127.0.0.1", .port = support::unused_port(), .max_waiting = 3});
  for (int i = 0; i < 10; ++i) sink.publish("t", std::to_string(i));
  EXPECT_EQ(sink.report().failed, 7U);
  finish(sink, 0ms);
  EXPECT_EQ(sink.report().failed, 10U);
}

TEST(MqttSink, WithNothingToSay) {
  Broker broker;
  MqttSink sink(broker.options());
  finish(sink, kPatience);
  EXPECT_THAT(broker.messages(), IsEmpty());
  EXPECT_EQ(sink.report().failed, 0U);
}

TEST(MqttTopic, HasNoWildcards) {
  EXPECT_TRUE(is_mqtt_topic("m/domain/c/default/metrics/proplet"));
  for (const std::string& topic : {std::string(), std::string("a/+"), std::string("#"),
                                   std::string("a\0b", 3), std::string("\xFF"), std::string(65'536, 'a')}) {
    EXPECT_FALSE(is_mqtt_topic(topic)) << topic.substr(0, 20);
  }
}

}  // namespace
}  // namespace metricsd::exporters
