// The buffer of samples of tasks: what is told, told again, and counted as untold.
#include "task_samples.h"

#include <metricsd/models/limits.h>

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace metricsd::client {
namespace {

constexpr std::size_t kAll = std::size_t{1} << 30;

class TaskSamplesTest : public ::testing::Test {
 protected:
  void push(std::size_t size = 0) {
    const std::string metrics = R"({"x":")" + std::string(size, 'x') + R"("})";
    samples_.push({.task_id = "t", .metrics = metrics});
  }
  std::size_t take(std::size_t about = kAll) {
    std::string lines;
    samples_.take(lines, about);
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
  }

  TaskSamples samples_;
};

TEST_F(TaskSamplesTest, EachConnectionIsToldOfAll) {
  for (int i = 0; i < 3; ++i) push();
  EXPECT_FALSE(samples_.all_taken());
  EXPECT_EQ(take(1), 1U);
  EXPECT_EQ(take(), 2U);
  EXPECT_TRUE(samples_.all_taken());
  EXPECT_EQ(take(), 0U);
  samples_.begin_connection();
  push();
  EXPECT_FALSE(samples_.all_taken());
  EXPECT_EQ(take(), 4U);
}

TEST_F(TaskSamplesTest, NumbersAreInTheirOrderAndTheSenderIsOne) {
  push();
  push();
  std::string lines;
  samples_.take(lines, kAll);
  const auto sender = lines.find(R"("sender_id":")");
  EXPECT_NE(lines.find(lines.substr(sender, 46), sender + 1), std::string::npos);
  EXPECT_LT(lines.find(R"("number":1})"), lines.find(R"("number":2})"));
  TaskSamples others;
  others.push({.task_id = "t", .metrics = "{}"});
  std::string others_lines;
  others.take(others_lines, kAll);
  EXPECT_EQ(others_lines.find(lines.substr(sender, 46)), std::string::npos);
}

TEST_F(TaskSamplesTest, OnlyWhatWasNeverWrittenIsLost) {
  constexpr std::size_t kLarge = 8000;
  for (int i = 0; i < 10; ++i) push(kLarge);
  take();
  samples_.note_written();
  for (int i = 0; i < 40; ++i) push(kLarge);  // the first ones go, and some of these
  samples_.begin_connection();
  const std::size_t kept = take();
  EXPECT_LT(kept, 35U);
  EXPECT_GT(kept, 30U);
  EXPECT_EQ(samples_.lost().untaken, 40 - kept);
  samples_.drop_all();  // taken, but not written
  EXPECT_EQ(samples_.lost().untaken, 40U);
  EXPECT_TRUE(samples_.all_taken());
}

TEST_F(TaskSamplesTest, WhatIsTakenAndWrittenIsNotLost) {
  for (int i = 0; i < 3; ++i) push();
  take();
  samples_.note_written();
  samples_.begin_connection();
  push();
  samples_.drop_all();
  EXPECT_EQ(samples_.lost().untaken, 1U);
}

}  // namespace
}  // namespace metricsd::client
