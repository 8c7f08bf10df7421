#include "destinations/push_destination.h"

#include "observation.h"

#include <metricsd/support/exposition_parser.h>
#include <metricsd/support/loopback_server.h>

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

using support::LoopbackPeer;
using support::LoopbackServer;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

class PushDestinationTest : public testing::Test {
 protected:
  [[nodiscard]] PushOptions options(const std::string& path = {}) {
    return {.url = "http://127.0.0.1:" + std::to_string(server_.port()) + path,
            .say = [this](const std::string& line) {
              const std::lock_guard lock(mutex_);
              said_.push_back(line);
            }};
  }
  [[nodiscard]] std::unique_ptr<Destination> make(const PushOptions& options) {
    std::string why;
    auto made = make_push_destination(options, "ns", why);
    EXPECT_TRUE(made) << why;
    return made;
  }

  static void finish(Destination& destination) {
    destination.end();
    while (!destination.wait(std::chrono::seconds(30))) {
    }
    destination.leave();
  }

  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<std::string> said_;
  std::string answer_ = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  Observed observed_;
  LoopbackServer server_{[this](const LoopbackPeer& peer) {
    std::string request = peer.read_request();
    const std::lock_guard lock(mutex_);
    if (!request.empty()) requests_.push_back(std::move(request));
    peer.write(answer_);
  }};
};

TEST_F(PushDestinationTest, PutsAPageOfTheJob) {
  const auto destination = make(options("/gateway/"));
  observed_.task.job_name = "a b_1";
  observed_.role("make").sample.cpu_user_seconds = 1.5;
  destination->take(observed_.observation(true));
  finish(*destination);

  ASSERT_THAT(requests_, SizeIs(1));
  EXPECT_THAT(requests_[0], StartsWith("PUT /gateway/metrics/job/a%20b_1 HTTP/1.1\r\n"));
  const auto page = support::parse_exposition(requests_[0].substr(requests_[0].find("\r\n\r\n") + 4));
  EXPECT_EQ(
      page.value("ns_process_cpu_seconds_total", {{"job_name", "a b_1"}, {"role", "make"}, {"mode", "user"}}),
      1.5);
  EXPECT_EQ(destination->report().told, 1U);
  EXPECT_EQ(destination->report().failed, 0U);
}

TEST_F(PushDestinationTest, OpensNoConnectionBeforeTheFirstObservation) {
  { const auto destination = make(options()); }
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(PushDestinationTest, DeletesTheJobAfterwards) {
  PushOptions with_deletion = options();
  with_deletion.delete_after = true;
  const auto destination = make(with_deletion);
  destination->take(observed_.observation(true));
  finish(*destination);
  EXPECT_THAT(requests_, ElementsAre(StartsWith("PUT "), StartsWith("DELETE /metrics/job/job_1 ")));
}

TEST_F(PushDestinationTest, SaysThatItCouldNotDeleteTheJob) {
  PushOptions with_deletion = options();
  with_deletion.delete_after = true;
  const auto destination = make(with_deletion);
  destination->take(observed_.observation());
  while (destination->report().told == 0) std::this_thread::yield();
  {
    const std::lock_guard lock(mutex_);
    answer_ = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
  }
  finish(*destination);
  EXPECT_EQ(destination->report().failed, 0U);
  EXPECT_THAT(said_, ElementsAre(EndsWith(": the job could not be deleted: answered 500: No")));
}

TEST_F(PushDestinationTest, SaysOnceWhatIsWrongAndCountsTheRest) {
  answer_ = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
  const auto destination = make(options());
  for (int i = 0; i < 5; ++i) destination->take(observed_.observation());
  finish(*destination);
  EXPECT_EQ(destination->report().told, 0U);
  EXPECT_EQ(destination->report().failed, 5U);
  EXPECT_EQ(destination->report().last_error, "answered 503: Service Unavailable");
  EXPECT_THAT(said_, ElementsAre(HasSubstr("answered 503")));
}

}  // namespace
}  // namespace metricsd::tools
