#include <metricsd/exporters/http_sink.h>
#include <metricsd/support/loopback_server.h>

#include <algorithm>
#include <atomic>
#include <chrono>
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
using testing::AllOf;
using testing::AnyOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
constexpr auto kPatience = 30s;

HttpSinkOptions options_for(std::uint16_t port, std::chrono::milliseconds timeout = kPatience) {
  return {.origin = "http://127.0.0.1:" + std::to_string(port),
          .path = "/metrics/job/a%20b",
          .content_type = "text/plain; version=0.0.4",
          .timeout = timeout};
}

// Answers each request with the same, and keeps what it was.
class Recorder {
 public:
  explicit Recorder(std::string answer = std::string(kOk))
      : server_([this, answer = std::move(answer)](const LoopbackPeer& peer) {
          std::string request = peer.read_request();
          {
            const std::lock_guard lock(mutex_);
            requests_.push_back(std::move(request));
          }
          peer.write(answer);
        }) {}

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  [[nodiscard]] std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> requests_;
  LoopbackServer server_;
};

void finish(HttpSink& sink, HttpSink::Ending ending = HttpSink::Ending::keep) {
  sink.end(ending);
  while (!sink.wait(kPatience)) {
  }
  sink.leave();
}

// What becomes of one document at a server that behaves so.
SinkReport report_of_one(std::uint16_t port, std::chrono::milliseconds timeout = kPatience) {
  HttpSink sink(options_for(port, timeout));
  sink.put("document");
  finish(sink);
  return sink.report();
}

void wait_for(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(2ms);
  ASSERT_TRUE(condition());
}

TEST(HttpSink, PutsTheDocument) {
  Recorder server;
  const SinkReport report = report_of_one(server.port());
  EXPECT_EQ(report.told, 1U);
  EXPECT_EQ(report.failed, 0U);
  EXPECT_EQ(report.last_error, "");
  EXPECT_THAT(server.requests(),
              ElementsAre(AllOf(StartsWith("PUT /metrics/job/a%20b HTTP/1.1\r\n"),
                                HasSubstr("\r\nContent-Type: text/plain; version=0.0.4\r\n"),
                                EndsWith("\r\n\r\ndocument"))));
}

TEST(HttpSink, DeletesAfterTheLastDocument) {
  Recorder server;
  HttpSink sink(options_for(server.port()));
  sink.put("document");
  finish(sink, HttpSink::Ending::remove);
  EXPECT_THAT(server.requests(),
              ElementsAre(StartsWith("PUT "), StartsWith("DELETE /metrics/job/a%20b HTTP/1.1")));
  EXPECT_EQ(sink.report().told, 1U);
  EXPECT_EQ(sink.report().failed, 0U);
}

TEST(HttpSink, DeletesNothingThatItDidNotPut) {
  Recorder server;
  HttpSink sink(options_for(server.port()));
  finish(sink, HttpSink::Ending::remove);
  EXPECT_THAT(server.requests(), IsEmpty());
  EXPECT_EQ(sink.removal_error(), "");
}

// An earlier one may be there, and so may be the one that no answer came to.
TEST(HttpSink, DeletesWhereTheLastPutFailed) {
  std::atomic<bool> has_deleted = false;
  const LoopbackServer server([&](const LoopbackPeer& peer) {
    if (peer.read_request().starts_with("PUT")) {
      peer.wait_until_gone();
    } else {
      has_deleted = true;
      peer.write(kOk);
    }
  });
  HttpSink sink(options_for(server.port(), 500ms));
  sink.put("document");
  wait_for([&] { return sink.report().failed == 1; });
  finish(sink, HttpSink::Ending::remove);
  EXPECT_EQ(sink.removal_error(), "");
  EXPECT_TRUE(has_deleted);
}

TEST(HttpSink, ADeleteThatFailsIsNoDocument) {
  const LoopbackServer server([](const LoopbackPeer& peer) {
    const bool is_put = peer.read_request().starts_with("PUT");
    peer.write(is_put ? kOk : "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
  });
  HttpSinkOptions options = options_for(server.port());
  std::atomic<int> said = 0;
  options.say_failure = [&](const std::string&) { ++said; };
  HttpSink sink(std::move(options));
  sink.put("document");
  finish(sink, HttpSink::Ending::remove);
  EXPECT_EQ(sink.report().told, 1U);
  EXPECT_EQ(sink.report().failed, 0U);
  EXPECT_EQ(sink.removal_error(), "answered 500: No");
  EXPECT_EQ(said, 0);
}

TEST(HttpSink, SaysWhyItWasRefused) {
  Recorder server("HTTP/1.1 400 Bad Request\r\nContent-Length: 25\r\n\r\nline 1 \x01 has no\nnewline.\n");
  const SinkReport report = report_of_one(server.port());
  EXPECT_EQ(report.told, 0U);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_EQ(report.last_error, "answered 400: line 1   has no");
}

TEST(HttpSink, NobodyListens) {
  const SinkReport report = report_of_one(support::unused_port());
  EXPECT_EQ(report.failed, 1U);
  EXPECT_EQ(report.last_error, "could not connect");
}

TEST(HttpSink, AServerThatSaysNothingIsGivenUp) {
  const LoopbackServer server([](const LoopbackPeer& peer) { peer.wait_until_gone(); });
  const SinkReport report = report_of_one(server.port(), 200ms);
  EXPECT_EQ(report.told, 0U);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_THAT(report.last_error, HasSubstr("no whole answer"));
}

TEST(HttpSink, AServerThatDripsIsGivenUp) {
  std::atomic<bool> has_ended = false;
  const LoopbackServer server([&](const LoopbackPeer& peer) {
    for (std::string_view head = "HTTP/1.1 200 OK\r\nX: "; !head.empty(); head.remove_prefix(1))
      peer.write(head.substr(0, 1));
    while (peer.write("x")) std::this_thread::sleep_for(10ms);
    has_ended = true;
  });
  const SinkReport report = report_of_one(server.port(), 300ms);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_EQ(report.last_error, "no whole answer in time");
  wait_for([&] { return has_ended.load(); });
}

TEST(HttpSink, AServerThatClosesHalfWay) {
  const LoopbackServer server([](const LoopbackPeer& peer) {
    static_cast<void>(peer.read(1));
    peer.write("HTTP/1.1 200 OK\r\nContent-Le");
  });
  const SinkReport report = report_of_one(server.port());
  EXPECT_EQ(report.failed, 1U);
  // What is not read of a request when its server closes resets the connection, maybe while it is written.
  EXPECT_THAT(report.last_error, AnyOf("no whole answer", "the connection was closed"));
}

TEST(HttpSink, AnAnswerWithoutEndTakesNoMemory) {
  const LoopbackServer server([](const LoopbackPeer& peer) {
    static_cast<void>(peer.read_request());
    peer.write("HTTP/1.1 500 No\r\n\r\n");
    const std::string block(1 << 16, 'x');
    while (peer.write(block)) {
    }
  });
  const SinkReport report = report_of_one(server.port(), 300ms);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_LT(report.last_error.size(), 300U);
}

TEST(HttpSink, OnlyTheNewestWaits) {
  std::atomic<bool> may_answer = false;
  std::mutex mutex;
  std::vector<std::string> bodies;
  const LoopbackServer server([&](const LoopbackPeer& peer) {
    const std::string request = peer.read_request();
    {
      const std::lock_guard lock(mutex);
      bodies.push_back(request.substr(request.find("\r\n\r\n") + 4));
    }
    while (!may_answer) std::this_thread::sleep_for(1ms);
    peer.write(kOk);
  });
  HttpSink sink(options_for(server.port()));
  sink.put("1");
  wait_for([&] {
    const std::lock_guard lock(mutex);
    return bodies.size() == 1;
  });
  for (const char* body : {"2", "3", "4"}) sink.put(body);
  may_answer = true;
  finish(sink);
  EXPECT_THAT(bodies, ElementsAre("1", "4"));
  EXPECT_EQ(sink.report().told, 4U);
  EXPECT_EQ(sink.report().failed, 0U);
}

TEST(HttpSink, FinishingBreaksOffWhatHangs) {
  const LoopbackServer server([](const LoopbackPeer& peer) { peer.wait_until_gone(); });
  HttpSink sink(options_for(server.port(), 300ms));
  sink.put("hangs");
  wait_for([&] { return server.connections() == 1; });
  sink.put("never sent in time");
  finish(sink);
  EXPECT_EQ(sink.report().told, 0U);
  EXPECT_EQ(sink.report().failed, 2U);
}

TEST(HttpSink, NobodyHasToWait) {
  const LoopbackServer server([](const LoopbackPeer& peer) { peer.wait_until_gone(); });
  HttpSink sink(options_for(server.port()));
  sink.put("hangs");
  wait_for([&] { return server.connections() == 1; });
  sink.end(HttpSink::Ending::remove);
  EXPECT_FALSE(sink.wait(1ms));
  sink.leave();
  EXPECT_EQ(sink.report().failed, 1U);
  EXPECT_EQ(sink.report().last_error, "the waiting was broken off");
  EXPECT_EQ(sink.removal_error(), "the waiting was broken off");
}

TEST(HttpSink, SaysItsFirstFailureOnce) {
  std::mutex mutex;
  std::vector<std::string> said;
  HttpSinkOptions options = options_for(support::unused_port());
  options.say_failure = [&](const std::string& why) {
    const std::lock_guard lock(mutex);
    said.push_back(why);
  };
  HttpSink sink(std::move(options));
  for (std::uint64_t count = 1; count <= 3; ++count) {
    sink.put("document");
    wait_for([&] { return sink.report().failed == count; });
  }
  finish(sink);
  EXPECT_THAT(said, ElementsAre("could not connect"));
}

TEST(HttpSink, ANameThatDoesNotExist) {
  HttpSink sink({.origin = "http://no-such-host.invalid",
                 .path = "/",
                 .content_type = "text/plain",
                 .timeout = kPatience});
  sink.put("document");
  finish(sink);
  EXPECT_EQ(sink.report().failed, 1U);
}

TEST(HttpSink, AnOriginThatSpeaksNoTls) {
  const LoopbackServer server([](const LoopbackPeer& peer) {
    static_cast<void>(peer.read(1));
    peer.write(kOk);
  });
  HttpSinkOptions options = options_for(server.port());
  options.origin.replace(0, 4, "https");
  HttpSink sink(std::move(options));
  sink.put("document");
  finish(sink);
  EXPECT_EQ(sink.report().last_error, "no TLS connection");
}

TEST(HttpSink, TlsThatIsNeverAnswered) {
  const LoopbackServer server([](const LoopbackPeer& peer) { peer.wait_until_gone(); });
  HttpSinkOptions options = options_for(server.port(), 200ms);
  options.origin.replace(0, 4, "https");
  HttpSink sink(std::move(options));
  sink.put("document");
  finish(sink);
  EXPECT_EQ(sink.report().failed, 1U);
}

}  // namespace
}  // namespace metricsd::exporters
