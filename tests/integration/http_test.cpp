// HTTP as clients of every manner meet it.

#include <metricsd/support/daemon_process.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::support {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string answers_to(const DaemonProcess& daemon, const std::string& bytes) {
  Socket socket = connect_loopback(daemon.http_port());
  socket.send(bytes);
  return socket.receive_all();
}

TEST(Http, ServesEveryRoute) {
  const DaemonProcess daemon({.flags = {"--web.telemetry-path", "/telemetry"}});
  const std::vector<std::pair<std::string, std::string>> routes{{"/", "text/html"},
                                                                {"/telemetry", "text/plain; version=0.0.4"},
                                                                {"/-/healthy", "text/plain"},
                                                                {"/-/ready", "text/plain"},
                                                                {"/api/v1/status", "application/json"},
                                                                {"/api/v1/runs", "application/json"},
                                                                {"/api/v1/processes", "application/json"}};
  for (const auto& [path, type] : routes) {
    const HttpAnswer got = daemon.get(path);
    EXPECT_EQ(got.status, 200) << path;
    EXPECT_THAT(got.head, HasSubstr("Content-Type: " + type)) << path;
    EXPECT_THAT(got.head, HasSubstr("X-Content-Type-Options: nosniff")) << path;
    const HttpAnswer head = daemon.request("HEAD", path);
    EXPECT_EQ(head.status, 200) << path;
    EXPECT_EQ(head.body, "") << path;
    EXPECT_THAT(head.head, HasSubstr("Content-Length: ")) << path;
    const HttpAnswer posted = daemon.request("POST", path);
    EXPECT_EQ(posted.status, 405) << path;
    EXPECT_THAT(posted.head, HasSubstr("Allow: GET, HEAD\r\n")) << path;
  }
  EXPECT_EQ(daemon.get("/metrics").status, 404);
  EXPECT_EQ(daemon.get("/api/v1/summary").status, 404);  // nothing has run yet
}

TEST(Http, ThePageKeepsToItself) {
  const DaemonProcess daemon;
  const HttpAnswer page = daemon.get("/");
  EXPECT_THAT(page.head, HasSubstr("Content-Security-Policy: default-src 'none'"));
  EXPECT_THAT(page.body, Not(HasSubstr("http://")));
  EXPECT_THAT(page.body, Not(HasSubstr("https://")));
}

TEST(Http, CompressesWhereAsked) {
  const DaemonProcess daemon;
  const HttpAnswer gzip = daemon.request("GET", "/metrics", "Accept-Encoding: deflate, gzip\r\n");
  EXPECT_THAT(gzip.head, HasSubstr("Content-Encoding: gzip"));
  EXPECT_EQ(gzip.body.substr(0, 2), "\x1f\x8b");
  EXPECT_THAT(daemon.request("GET", "/metrics", "Accept-Encoding: br\r\n").head,
              Not(HasSubstr("Content-Encoding")));
}

TEST(Http, ServesPipelinedRequestsInOrderAndKeepsTheConnection) {
  const DaemonProcess daemon;
  const std::string answers = answers_to(daemon,
                                         "GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"
                                         "HEAD /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"
                                         "POST /-/ready HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                                         "GET /-/ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::size_t healthy = answers.find("healthy\n");
  const std::size_t refused = answers.find("405 Method Not Allowed");
  const std::size_t ready = answers.find("ready\n");
  ASSERT_NE(ready, std::string::npos) << answers;
  EXPECT_LT(healthy, refused);
  EXPECT_LT(refused, ready);
}

TEST(Http, RefusesWhatIsNoRequestAndSaysNothingBack) {
  const DaemonProcess daemon;
  const std::vector<std::pair<std::string, int>> cases{
      {"\x16\x03\x01garbage\r\n\r\n", 400},
      {"GET /<script> HTTP/9.9\r\n\r\n", 505},
      {"GET /metrics HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413},
      {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(60'000, 'b'), 431}};
  for (const auto& [bytes, status] : cases) {
    const std::string answer = answers_to(daemon, bytes);
    EXPECT_EQ(parse_http_answer(answer).status, status) << bytes.substr(0, 80);
    EXPECT_THAT(answer, Not(HasSubstr("<script")));
  }
  EXPECT_EQ(daemon.get("/-/healthy").status, 200);
}

TEST(Http, HeadersThatClaimToBeOursDoNotMatter) {
  const DaemonProcess daemon;
  const HttpAnswer answer = daemon.request(
      "GET", "/metrics", "REMOTE_ADDR: <script>\r\nRange: bytes=0-1,0-1,0-1\r\nX-Forwarded-For: x\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.head + answer.body, Not(HasSubstr("<script")));
}

TEST(Http, HeadersWithoutEndAreRefused) {
  const DaemonProcess daemon;
  std::string lines;
  for (int i = 0; i < 200'000; ++i) lines += "X: y\r\n";
  const std::string request = "GET /metrics HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(parse_http_answer(answers_to(daemon, request + lines + "\r\n")).status, 431);
  EXPECT_EQ(parse_http_answer(answers_to(daemon, request + lines.substr(0, 150 * 6) + "\r\n")).status, 431);
  // One that never ends is refused while it goes on.
  Socket endless = connect_loopback(daemon.http_port());
  ASSERT_TRUE(endless.send(request));
  EXPECT_TRUE(eventually([&] { return !endless.send(std::string(100'000, 'x')); }));
  EXPECT_EQ(daemon.get("/-/healthy").status, 200);
}

// No route takes a body: one of a known length is passed over, whatever it is, and none is decoded.
TEST(Http, BodiesAreNotDecoded) {
  const DaemonProcess daemon;
  const std::string bomb("\x1f\x8b\x08\0\0\0\0\0", 8);
  const std::string next = "GET /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const std::string answers = answers_to(
      daemon, "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 8\r\n\r\n" +
                  bomb + next);
  EXPECT_EQ(parse_http_answer(answers).status, 405);
  EXPECT_THAT(answers, HasSubstr("healthy\n"));
  for (const char* coding : {"chunked", "gzip, chunked", "gzip", "identity", "xchunked"}) {
    const std::string refused =
        answers_to(daemon, "POST /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: " + std::string(coding) +
                               "\r\n\r\nFFFFFFFFFFFFFFFF\r\n" + bomb + next);
    EXPECT_EQ(parse_http_answer(refused).status, 501) << coding;
    EXPECT_THAT(refused, Not(HasSubstr("healthy\n"))) << coding;
  }
}

// What two parsers may read differently gets one answer, and what it smuggles none.
TEST(Http, SmuggledRequestsAreNotAnswered) {
  const DaemonProcess daemon;
  const std::string smuggled = "GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string length = "Content-Length: " + std::to_string(smuggled.size()) + "\r\n";
  const std::vector<std::string> heads{
      "POST / HTTP/1.1\r\nHost: a\r\n" + length + "Transfer-Encoding: chunked\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" + length,
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 0\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x0\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 0\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n Content-Length: 0\r\n",
      "POST / HTTP/1.1\nHost: a\nContent-Length: 0\n",
      "POST / HTTP/1.1\rHost: a\r\nHost: a\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n",
      "POST /\t/-/ready HTTP/1.1\r\nHost: a\r\n",
      "GET http://b/ HTTP/1.1\r\nHost: a\r\n",
      "GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n",
      "GET / HTTP/1.1\r\n",
      "GET /\r\nHost: a\r\n"};
  for (const std::string& head : heads) {
    const std::string answers = answers_to(daemon, head + "\r\n" + smuggled);
    const int status = parse_http_answer(answers).status;
    EXPECT_TRUE(status == 400 || status == 501) << status << ": " << head;
    EXPECT_THAT(answers, Not(HasSubstr("healthy\n"))) << head;
    EXPECT_EQ(answers.rfind("HTTP/1.1 "), 0U) << answers;
  }
}

TEST(Http, NoLineEndOfAPathComesBack) {
  const DaemonProcess daemon;
  for (const char* path :
       {"/%0d%0aSet-Cookie:%20x=y", "/metrics%0d%0aSet-Cookie:%20x=y", "/?a=%0d%0aSet-Cookie:%20x=y",
        "/%00%0a%ff", "/api/v1/summary?run=%0d%0aSet-Cookie:%20x"}) {
    const HttpAnswer answer = daemon.get(path);
    EXPECT_NE(answer.status, 0) << path;
    EXPECT_THAT(answer.head + answer.body, Not(HasSubstr("Set-Cookie"))) << path;
  }
  EXPECT_EQ(
      parse_http_answer(answers_to(daemon, "GET /\r\nSet-Cookie: x HTTP/1.1\r\nHost: a\r\n\r\n")).status,
      400);
}

TEST(Http, ARequestThatDragsOnIsLetGo) {
  const DaemonProcess daemon;
  Socket slow = connect_loopback(daemon.http_port());
  ASSERT_TRUE(slow.send("GET /metrics HTTP/1.1\r\nX:"));
  EXPECT_TRUE(eventually(
      [&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        return !slow.send("y");
      },
      std::chrono::seconds(60)));
}

TEST(Http, SlowClientsDoNotDelayAScrape) {
  const DaemonProcess daemon;
  std::vector<Socket> slow;
  for (int i = 0; i < 1000; ++i) {
    slow.push_back(connect_loopback(daemon.http_port()));
    ASSERT_TRUE(slow.back().send("GET /metrics HT"));
  }
  for (int round = 0; round < 5; ++round) {
    for (Socket& socket : slow) ASSERT_TRUE(socket.send(round == 0 ? "TP/1.1\r\nX:" : "y"));
    EXPECT_EQ(daemon.get("/metrics").status, 200);
  }
}

TEST(Http, ClientsThatNeverReadDoNotDelayAScrape) {
  const DaemonProcess daemon;
  std::string many;
  for (int i = 0; i < 200; ++i) many += "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
  std::vector<Socket> deaf;
  for (int i = 0; i < 50; ++i) {
    deaf.push_back(connect_loopback(daemon.http_port()));
    ASSERT_TRUE(deaf.back().send(many));
  }
  EXPECT_EQ(daemon.get("/metrics").status, 200);
}

// Descriptors for a handful: the ones that have been waited for longest make room for a scrape.
TEST(Http, AFullFrontStillAnswersAScrape) {
  const DaemonProcess daemon({.flags = {}, .max_descriptors = 64});
  std::vector<Socket> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(connect_loopback(daemon.http_port()));
    slow.back().send("GET /");
  }
  EXPECT_EQ(daemon.get("/metrics").status, 200);
  EXPECT_EQ(parse_exposition(daemon.get("/metrics").body).value("metricsd_connections"), 0);
}

}  // namespace
}  // namespace metricsd::support
