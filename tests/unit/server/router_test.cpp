#include "http/router.h"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::server::http {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Router test_router() {
  return Router(
      {{"/", [](const Query&) { return Response{.content_type = "text/plain", .body = "root"}; }},
       {"/a.b", [](const Query&) { return Response{.content_type = "text/plain", .body = "dotted"}; }},
       {"/big",
        [](const Query&) {
          return Response{.content_type = "text/plain", .body = std::string(100'000, 'x')};
        }},
       {"/query",
        [](const Query& query) {
          const auto run = query.find("run");
          return Response{.content_type = "text/plain",
                          .body = run == query.end() ? "none" : "[" + run->second + "]"};
        }},
       {"/tasks/{id}/metrics",
        [](const Query& query) {
          return Response{.content_type = "text/plain", .body = "[" + query.at("id") + "]"};
        }},
       {"/throws", [](const Query&) -> Response { throw std::runtime_error("secret"); }}});
}

std::string respond(const Request& request) {
  return test_router().respond(request);
}
std::string get(const std::string& target) {
  return respond({.method = "GET", .target = target});
}

TEST(Router, AnswersItsRoutesAndNothingElse) {
  EXPECT_THAT(get("/"), EndsWith("\r\n\r\nroot"));
  EXPECT_THAT(get("/a.b"), EndsWith("\r\n\r\ndotted"));
  for (const char* target :
       {"/axb", "/a.b/", "//", "/nope", "/a.b%00", "/%2e%2e/etc/passwd", "/../big", "/a.b\"<x>"}) {
    EXPECT_THAT(get(target), StartsWith("HTTP/1.1 404 ")) << target;
  }
}

TEST(Router, HeadIsGetWithoutItsBody) {
  const std::string answer = respond({.method = "HEAD", .target = "/a.b"});
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST(Router, OtherMethodsAreNotAllowedOnWhatIsThere) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"}) {
    const std::string answer = respond({.method = method, .target = "/a.b"});
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n"));
    EXPECT_THAT(respond({.method = method, .target = "/nope"}), StartsWith("HTTP/1.1 404 ")) << method;
  }
}

TEST(Router, DecodesQueries) {
  EXPECT_THAT(get("/query"), EndsWith("none"));
  EXPECT_THAT(get("/query?run="), EndsWith("[]"));
  EXPECT_THAT(get("/query?run=a%20b&run=c"), EndsWith("[a b]"));
  EXPECT_THAT(get("/query?run=why??"), EndsWith("[why??]"));
}

TEST(Router, APathMayHoldAName) {
  EXPECT_THAT(get("/tasks/t-1/metrics"), EndsWith("[t-1]"));
  EXPECT_THAT(get("/tasks/t-1/metrics?id=other&x=1"), EndsWith("[t-1]"));
  EXPECT_THAT(get("/tasks/a%20b%2Fc%0Ad%2e%2e/metrics"), EndsWith("[a b/c\nd..]"));
  EXPECT_THAT(get("/tasks/metrics/metrics"), EndsWith("[metrics]"));
  const std::string longest(7000, 'a');
  EXPECT_THAT(get("/tasks/" + longest + "/metrics"), EndsWith("[" + longest + "]"));
  for (const char* target : {"/tasks//metrics", "/tasks/metrics", "/tasks/t/", "/tasks/t",
                             "/tasks/t/metrics/", "/tasks/{id}", "/tasks/t/metricsx"}) {
    EXPECT_THAT(get(target), StartsWith("HTTP/1.1 404 ")) << target;
  }
  EXPECT_THAT(respond({.method = "POST", .target = "/tasks/t/metrics"}), StartsWith("HTTP/1.1 405 "));
}

TEST(Router, WhoAsksForAnotherNameAsksAnotherQuestion) {
  const Router router = test_router();
  const auto question = [&router](const std::string& target) {
    return router.shared_question({.method = "GET", .target = target});
  };
  ASSERT_TRUE(question("/tasks/a/metrics"));
  EXPECT_TRUE(question("/tasks/a/metrics")->is_one_of_many);
  EXPECT_NE(question("/tasks/a/metrics")->key, question("/tasks/b/metrics")->key);
  EXPECT_EQ(question("/tasks/a/metrics")->key, question("/tasks/%61/metrics")->key);
}

TEST(Router, CompressesWhereAsked) {
  const std::string plain = get("/big");
  const std::string gzip =
      respond({.method = "GET", .target = "/big", .keep_alive = true, .accepts_gzip = true});
  EXPECT_THAT(plain, Not(HasSubstr("Content-Encoding")));
  EXPECT_THAT(gzip, HasSubstr("Content-Encoding: gzip\r\n"));
  EXPECT_LT(gzip.size(), plain.size() / 10);
  const std::size_t body = gzip.find("\r\n\r\n") + 4;
  EXPECT_THAT(gzip, HasSubstr("Content-Length: " + std::to_string(gzip.size() - body) + "\r\n"));
  EXPECT_EQ(gzip.substr(body, 2), "\x1f\x8b");
}

TEST(Router, DoesNotCompressWhatIsSmall) {
  const std::string answer =
      respond({.method = "GET", .target = "/", .keep_alive = true, .accepts_gzip = true});
  EXPECT_THAT(answer, Not(HasSubstr("Content-Encoding")));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nroot"));
}

// A cache between must not give one client's coding to another.
TEST(Router, SaysWhatItsAnswersDependOn) {
  for (const bool takes_gzip : {false, true}) {
    for (const char* target : {"/", "/big"}) {
      EXPECT_THAT(
          respond({.method = "GET", .target = target, .keep_alive = true, .accepts_gzip = takes_gzip}),
          HasSubstr("Vary: Accept-Encoding\r\n"));
    }
  }
}

TEST(Router, NoExceptionsTextReachesAClient) {
  const std::string answer = get("/throws");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer, Not(HasSubstr("secret")));
}

TEST(Router, NoByteOfATargetComesBack) {
  for (const char* target :
       {"/<script>alert(1)</script>", "/x%0d%0aSet-Cookie:%20a=b", "/query?x=<script>"}) {
    const std::string answer = get(target);
    EXPECT_THAT(answer, Not(HasSubstr("script"))) << target;
    EXPECT_THAT(answer, Not(HasSubstr("Set-Cookie"))) << target;
  }
}

TEST(Router, ClosesWhereAsked) {
  EXPECT_THAT(respond({.method = "GET", .target = "/", .keep_alive = false}),
              HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(get("/"), Not(HasSubstr("Connection: close")));
}

TEST(RefusalResponse, IsWholeAndCloses) {
  for (const int status : {400, 413, 414, 417, 431, 501, 505}) {
    const std::string answer = refusal_response(status);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(status) + " "));
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  }
}

}  // namespace
}  // namespace metricsd::server::http
