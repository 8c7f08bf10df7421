#include "http/request_reader.h"

#include <metricsd/models/limits.h>

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::server::http {
namespace {

using Outcome = RequestReader::Outcome;

const std::string kSimple = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";

// What a reader says of bytes that come all at once: 200 for a request, 0 for "more", else the refusal.
int verdict(std::string_view bytes) {
  RequestReader reader;
  switch (reader.read(bytes)) {
    case Outcome::request: return 200;
    case Outcome::need_more: return 0;
    case Outcome::refused: break;
  }
  return reader.status();
}

// The same, a byte at a time.
int verdict_in_drops(std::string_view bytes) {
  RequestReader reader;
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    const Outcome outcome = reader.read(bytes.substr(0, size));
    if (outcome == Outcome::request) return 200;
    if (outcome == Outcome::refused) return reader.status();
  }
  return 0;
}

std::string with_header(const std::string& line) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + line + "\r\n\r\n";
}

TEST(RequestReader, ReadsOneRequestAtEverySplit) {
  const std::string bytes = "GET /api?run=x HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br, gzip\r\nX-Y:\r\n\r\n";
  for (std::size_t split = 0; split < bytes.size(); ++split) {
    RequestReader reader;
    ASSERT_EQ(reader.read(std::string_view(bytes).substr(0, split)), Outcome::need_more) << split;
    ASSERT_EQ(reader.read(bytes), Outcome::request) << split;
    EXPECT_EQ(reader.request(),
              (Request{.method = "GET", .target = "/api?run=x", .keep_alive = true, .accepts_gzip = true}));
    EXPECT_EQ(reader.consumed(), bytes.size());
  }
}

TEST(RequestReader, LeavesPipelinedRequestsInTheBuffer) {
  std::string buffer = kSimple + "HEAD / HTTP/1.1\r\nHost: b\r\n\r\n" + kSimple;
  RequestReader reader;
  std::vector<std::string> methods;
  while (!buffer.empty()) {
    ASSERT_EQ(reader.read(buffer), Outcome::request);
    methods.push_back(reader.request().method);
    buffer.erase(0, reader.consumed());
  }
  EXPECT_EQ(methods, (std::vector<std::string>{"GET", "HEAD", "GET"}));
}

TEST(RequestReader, TakesABodyAndDropsIt) {
  const std::string head = "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
  RequestReader reader;
  EXPECT_EQ(reader.read(head), Outcome::need_more);
  EXPECT_EQ(reader.read(head + "GET "), Outcome::need_more);
  EXPECT_EQ(reader.read(head + "\n\r\n\rxGET"), Outcome::request);
  EXPECT_EQ(reader.consumed(), head.size() + 5);
}

TEST(RequestReader, EmptyLinesBeforeARequestArePassedOver) {
  EXPECT_EQ(verdict("\r\n\r\n" + kSimple), 200);
}

TEST(RequestReader, KeepAliveFollowsVersionAndHeader) {
  const std::vector<std::pair<std::string, bool>> cases{
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, Close\r\n\r\n", false},
      {"GET / HTTP/1.0\r\n\r\n", false},
      {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true}};
  for (const auto& [bytes, keep_alive] : cases) {
    RequestReader reader;
    ASSERT_EQ(reader.read(bytes), Outcome::request) << bytes;
    EXPECT_EQ(reader.request().keep_alive, keep_alive) << bytes;
  }
}

TEST(RequestReader, RefusesWhatTwoParsersMayReadDifferently) {
  const std::vector<std::pair<std::string, int>> cases{
      {"GET / HTTP/1.1\r\n\r\n", 400},                                        // no Host
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},                  // two
      {with_header("Content-Length: 1\r\nContent-Length: 1"), 400},           //
      {with_header("Content-Length: 1, 1"), 400},                             //
      {with_header("Content-Length: +1"), 400},                               //
      {with_header("Content-Length: 0x1"), 400},                              //
      {with_header("Content-Length:"), 400},                                  //
      {with_header("Content-Length: 1\r\nTransfer-Encoding: chunked"), 501},  // both
      {with_header("Transfer-Encoding: chunked"), 501},                       //
      {with_header("Transfer-Encoding: identity"), 501},                      //
      {with_header("A: b\r\n c"), 400},                                       // obs-fold
      {with_header(" A: b"), 400},                                            //
      {with_header("A : b"), 400},                                            // space before the colon
      {with_header("A\t: b"), 400},                                           //
      {with_header(": b"), 400},                                              //
      {with_header("A"), 400},                                                //
      {with_header("A: b\nC: d"), 400},                                       // bare LF
      {with_header("A: b\rC: d"), 400},                                       // bare CR
      {with_header(std::string("A: b\0c", 6)), 400},                          //
      {with_header("A: b\x01"), 400},                                         //
      {with_header("A: b\x7f"), 400},                                         //
      {"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400},                         //
      {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},                          //
      {"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},                     //
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},                            //
      {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},                            //
      {"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},                     // absolute form
      {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},                             //
      {"GET /\r\n\r\n", 400},                                                 // HTTP/0.9
      {"GET\r\n\r\n", 400},                                                   //
      {"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},                             //
      {"get / HTTP/1.1\r\nHost: a\r\n\r\n", 501},                             // methods have case
      {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},                            //
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},                             //
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},                             //
      {with_header("Expect: 100-continue"), 417},                             //
      {with_header("Content-Length: 65537"), 413},                            //
      {with_header("Content-Length: 99999999999999999999999999"), 413}};
  for (const auto& [bytes, status] : cases) {
    EXPECT_EQ(verdict(bytes), status) << bytes;
    EXPECT_EQ(verdict_in_drops(bytes), status) << bytes;
  }
}

TEST(RequestReader, LimitsTheHead) {
  const auto request_of = [](std::size_t target) {
    return "GET /" + std::string(target, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  EXPECT_EQ(verdict(request_of(limits::kHttpRequestLine - 14)), 200);
  EXPECT_EQ(verdict(request_of(limits::kHttpRequestLine - 13)), 414);
  EXPECT_EQ(verdict(std::string(limits::kHttpRequestLine + 1, 'a')), 414);
  EXPECT_EQ(verdict(with_header("A: " + std::string(limits::kHttpHead, 'b'))), 431);
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: a\r\nA: " + std::string(limits::kHttpHead, 'b')), 431);

  std::string lines = "Host: a";
  for (std::size_t i = 1; i < limits::kHttpHeaderLines; ++i) lines += "\r\nA: b";
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\n" + lines + "\r\n\r\n"), 200);
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\n" + lines + "\r\nA: b\r\n\r\n"), 431);
}

// Found by the fuzz target: which of two faults was told depended on the reads.
TEST(RequestReader, SaysTheSameOfLongLinesHoweverTheyCome) {
  const std::string most(limits::kHttpRequestLine - 14, 'a');
  const std::string head = " HTTP/1.1\r\nHost: a\r\n";
  const std::vector<std::pair<std::string, int>> cases{
      {"GET /" + most.substr(1) + head + "\r\n", 200},
      {"GET /" + most + head + "\r\n", 200},
      {"GET /" + most + "a" + head + "\r\n", 414},
      {"GET /" + most + "a HTTP/1.1\n", 414},
      {"GET /" + most + "a" + head + "A: b\nC: d\r\n\r\n", 414},
      {"GET /" + most + head + "A: b\nC: d\r\n\r\n", 400},
      {"GET /" + most.substr(9) + "\n" + most, 400},
      {with_header("A: " + std::string(limits::kHttpHead, 'b') + "\nC: d"), 431}};
  for (const auto& [bytes, status] : cases) {
    EXPECT_EQ(verdict(bytes), status) << bytes.substr(limits::kHttpRequestLine - 30);
    EXPECT_EQ(verdict_in_drops(bytes), status) << bytes.substr(limits::kHttpRequestLine - 30);
  }
}

TEST(RequestReader, NothingEndlessIsKeptWaitingFor) {
  std::string blank;
  while (blank.size() <= limits::kHttpHead) blank += "\r\n";
  EXPECT_EQ(verdict(blank), 431);
}

TEST(AcceptEncoding, AsksForGzipByNameByStarAndByWeight) {
  for (const char* yes :
       {"gzip", "GZip", "br, gzip", "gzip;q=0.1", "*", "x-gzip", "identity;q=0, gzip ; q=1"}) {
    EXPECT_TRUE(accepts_gzip(yes)) << yes;
  }
  for (const char* no :
       {"", "br", "gzip;q=0", "gzip;q=0.000", "*;q=0", "*, gzip;q=0", "gzipped", "identity"}) {
    EXPECT_FALSE(accepts_gzip(no)) << no;
  }
}

}  // namespace
}  // namespace metricsd::server::http
