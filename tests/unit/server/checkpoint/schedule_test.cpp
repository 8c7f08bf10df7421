#include "checkpoint/schedule.h"

#include <metricsd/models/timestamp.h>

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

constexpr std::int64_t kInterval = kNsPerSecond;

TEST(CheckpointSchedule, OneIsDueEachInterval) {
  CheckpointSchedule schedule(kInterval, 100);
  EXPECT_EQ(schedule.due_ns(), 100 + kInterval);
  schedule.begin(100 + kInterval);
  schedule.end(100 + kInterval + 10);
  EXPECT_EQ(schedule.due_ns(), 100 + 2 * kInterval);
}

TEST(CheckpointSchedule, WhoWaitsIsServedSoonerButNotAtOnce) {
  CheckpointSchedule schedule(kInterval, 0);
  schedule.begin(0);
  schedule.end(kNsPerMs);
  schedule.ask();
  EXPECT_EQ(schedule.due_ns(), 20 * kNsPerMs);
  schedule.begin(20 * kNsPerMs);
  schedule.end(21 * kNsPerMs);
  EXPECT_EQ(schedule.due_ns(), 20 * kNsPerMs + kInterval);
}

TEST(CheckpointSchedule, WhoAsksMeanwhileWaitsForTheNext) {
  CheckpointSchedule schedule(kInterval, 0);
  schedule.begin(0);
  schedule.ask();
  schedule.end(kNsPerMs);
  EXPECT_EQ(schedule.due_ns(), 20 * kNsPerMs);
  schedule.forget_asked();
  EXPECT_EQ(schedule.due_ns(), kInterval);
}

// However long they take, and however many wait.
TEST(CheckpointSchedule, ATwentiethOfTheTimeIsTheMost) {
  CheckpointSchedule schedule(kInterval, 0);
  std::int64_t now_ns = 0;
  std::int64_t spent_ns = 0;
  for (std::int64_t i = 1; i <= 100; ++i) {
    schedule.ask();
    now_ns = schedule.due_ns();
    schedule.begin(now_ns);
    schedule.ask();
    now_ns += i * 10 * kNsPerMs;
    spent_ns += i * 10 * kNsPerMs;
    schedule.end(now_ns);
  }
  EXPECT_LE(20 * spent_ns, schedule.due_ns());
}

TEST(CheckpointSchedule, NoDurationIsTooLong) {
  CheckpointSchedule schedule(kInterval, 0);
  schedule.begin(0);
  schedule.end(std::numeric_limits<std::int64_t>::max() / 2);
  EXPECT_GT(schedule.due_ns(), 0);
  EXPECT_GT(CheckpointSchedule(std::numeric_limits<std::int64_t>::max(), 1000).due_ns(), 0);
}

}  // namespace
}  // namespace metricsd::server
