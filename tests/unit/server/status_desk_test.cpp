#include "status_desk.h"

#include <metricsd/support/manual_clock.h>

#include <deque>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

class StatusDeskTest : public ::testing::Test {
 protected:
  void ask() {
    desk_.ask([this](const StatusDesk::Document& document) {
      answers_.push_back(document ? *document : document.error().message());
    });
  }

  void run_one_job() {
    const auto job = std::move(jobs_.front());
    jobs_.pop_front();
    job();
  }

  support::ManualClock clock_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::string> answers_;
  int made_ = 0;
  std::function<StatusDesk::Document()> make_ = [this] { return std::to_string(++made_); };
  StatusDesk desk_{[this] { return make_(); }, [this](auto job) { jobs_.push_back(std::move(job)); }, clock_};
};

TEST_F(StatusDeskTest, OneDocumentAnswersACrowd) {
  for (int i = 0; i < 1000; ++i) ask();
  ASSERT_EQ(jobs_.size(), 1U);
  run_one_job();
  EXPECT_EQ(answers_, std::vector<std::string>(1000, "1"));
  EXPECT_TRUE(jobs_.empty());
}

TEST_F(StatusDeskTest, WhoAsksWhileOneIsMadeGetsTheNext) {
  make_ = [this] {
    if (made_ == 0) ask();
    return std::to_string(++made_);
  };
  ask();
  run_one_job();
  EXPECT_EQ(answers_, std::vector<std::string>{"1"});
  ASSERT_EQ(jobs_.size(), 1U);
  run_one_job();
  EXPECT_EQ(answers_, (std::vector<std::string>{"1", "2"}));
  EXPECT_TRUE(jobs_.empty());
}

TEST_F(StatusDeskTest, WhoAsksNeverGetsAnOldOne) {
  ask();
  run_one_job();
  ask();
  run_one_job();
  EXPECT_EQ(answers_, (std::vector<std::string>{"1", "2"}));
}

TEST_F(StatusDeskTest, TheRecentOneServesUntilItIsStale) {
  EXPECT_EQ(desk_.recent().value(), "1");
  clock_.advance(199 * kNsPerMs);
  EXPECT_EQ(desk_.recent().value(), "1");
  clock_.advance(kNsPerMs);
  EXPECT_EQ(desk_.recent().value(), "2");
}

TEST_F(StatusDeskTest, AFailureIsAnAnswer) {
  make_ = []() -> StatusDesk::Document { return Errc::timed_out; };
  ask();
  run_one_job();
  make_ = []() -> StatusDesk::Document { throw std::bad_alloc(); };
  ask();
  run_one_job();
  EXPECT_EQ(answers_.size(), 2U);
  EXPECT_FALSE(desk_.recent());
}

}  // namespace
}  // namespace metricsd::server
