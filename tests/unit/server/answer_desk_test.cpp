#include "http/answer_desk.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::server::http {
namespace {

class AnswerDeskTest : public testing::Test {
 protected:
  void ask(const std::string& target, const std::string& method = "GET") {
    desk_.ask({.method = method, .target = target},
              [this](const Answer& answer) { answers_.push_back(answer); });
  }

  void run_jobs() {
    while (!jobs_.empty()) {
      for (const auto& job : std::exchange(jobs_, {})) job();
    }
  }

  int rendered_ = 0;
  Router router_{
      {{.path = "/large",
        .handler =
            [this](const Query&) {
              ++rendered_;
              return Response{.content_type = "text/plain", .body = std::to_string(rendered_)};
            }},
       {.path = "/asks",
        .handler =
            [](const Query& query) { return Response{.content_type = "text/plain", .body = query.at("q")}; },
        .reads_query = true},
       {.path = "/cheap",
        .handler = [](const Query&) { return Response{.content_type = "text/plain", .body = "x"}; },
        .is_cheap = true}}};
  std::vector<std::function<void()>> jobs_;
  AnswerDesk desk_{router_, [this](auto job) { jobs_.push_back(std::move(job)); }};
  std::vector<Answer> answers_;
};

TEST_F(AnswerDeskTest, ACrowdIsAnsweredByOneRendering) {
  for (int i = 0; i < 300; ++i) ask("/large");
  ask("/large?x=1");
  ask("/l%61rge");
  EXPECT_EQ(jobs_.size(), 1U);
  run_jobs();
  EXPECT_EQ(rendered_, 1);
  ASSERT_EQ(answers_.size(), 302U);
  EXPECT_EQ(answers_.front(), answers_.back());
}

TEST_F(AnswerDeskTest, WhoAsksLaterGetsALaterAnswer) {
  ask("/large");
  run_jobs();
  ask("/large");
  run_jobs();
  ASSERT_EQ(answers_.size(), 2U);
  EXPECT_TRUE(answers_[1]->ends_with("2")) << *answers_[1];
}

TEST_F(AnswerDeskTest, OtherQuestionsGetOtherAnswers) {
  ask("/asks?q=a");
  ask("/asks?q=b");
  ask("/large");
  ask("/large", "HEAD");
  run_jobs();
  ASSERT_EQ(answers_.size(), 4U);
  EXPECT_TRUE(answers_[0]->ends_with("a"));
  EXPECT_NE(*answers_[1], *answers_[2]);
  EXPECT_TRUE(answers_[3]->ends_with("b"));
}

// A crowd with a question each keeps one worker busy at a time, and whoever wants a scrape waits for one.
TEST_F(AnswerDeskTest, QuestionsOfAnyNumberAreAnsweredOneAfterTheOther) {
  for (int i = 0; i < 100; ++i) ask("/asks?q=" + std::to_string(i));
  ask("/asks?q=0");
  EXPECT_EQ(jobs_.size(), 1U);
  ask("/large");
  const auto jobs = std::exchange(jobs_, {});
  ASSERT_EQ(jobs.size(), 2U);
  jobs[0]();
  EXPECT_EQ(answers_.size(), 2U);  // of those who asked the first question
  EXPECT_EQ(jobs_.size(), 1U);
  jobs[1]();
  EXPECT_EQ(rendered_, 1);
  run_jobs();
  EXPECT_EQ(answers_.size(), 102U);
  EXPECT_TRUE(answers_.back()->ends_with("99"));
}

TEST_F(AnswerDeskTest, WhatIsCheapDoesNotWait) {
  ask("/cheap");
  ask("/nowhere");
  EXPECT_EQ(answers_.size(), 2U);
  EXPECT_TRUE(jobs_.empty());
}

}  // namespace
}  // namespace metricsd::server::http
