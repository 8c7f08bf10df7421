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
  schedule.end(100 + kInterval + 10, 10);
  EXPECT_EQ(schedule.due_ns(), 100 + 2 * kInterval);
}

TEST(CheckpointSchedule, WhoWaitsIsServedSoonerButNotAtOnce) {
  CheckpointSchedule schedule(kInterval, 0);
  schedule.begin(0);
  schedule.end(kNsPerMs, kNsPerMs);
  schedule.ask();
  EXPECT_EQ(schedule.due_ns(), 20 * kNsPerMs);
  schedule.begin(20 * kNsPerMs);
  schedule.end(21 * kNsPerMs, kNsPerMs);
  EXPECT_EQ(schedule.due_ns(), 20 * kNsPerMs + kInterval);
}

TEST(CheckpointSchedule, WhoAsksMeanwhileWaitsForTheNext) {
  CheckpointSchedule schedule(kInterval, 0);
  schedule.begin(0);
  schedule.ask();
  schedule.end(kNsPerMs, kNsPerMs);
  EXPECT_EQ(schedule.due_ns(), 20 * kNsPerMs);
  schedule.forget_asked();
  EXPECT_EQ(schedule.due_ns(), kInterval);
}

// However much work they are, and however many wait.
TEST(CheckpointSchedule, ATwentiethOfTheTimeIsTheMost) {
  CheckpointSchedule schedule(kInterval, 0);
  std::int64_t now_ns = 0;
  std::int64_t spent_ns = 0;
  for (std::int64_t i = 1; i <= 50; ++i) {
    schedule.ask();
    now_ns = schedule.due_ns();
    schedule.begin(now_ns);
    schedule.ask();
    now_ns += i * 10 * kNsPerMs;
    spent_ns += i * 10 * kNsPerMs;
    schedule.end(now_ns, i * 10 * kNsPerMs);
  }
  EXPECT_LE(20 * spent_ns, schedule.due_ns());
}

// Senders keep only so much.
TEST(CheckpointSchedule, NoRestIsLongerThanSendersCanWait) {
  CheckpointSchedule schedule(kInterval, 0);
  schedule.begin(0);
  schedule.ask();
  schedule.end(100 * kNsPerSecond, 100 * kNsPerSecond);
  EXPECT_EQ(schedule.due_ns(), 110 * kNsPerSecond);
}

TEST(CheckpointSchedule, WaitingForADiskIsNoWork) {
  CheckpointSchedule schedule(kInterval, 0);
  schedule.begin(0);
  schedule.end(10 * kNsPerSecond, kNsPerMs);
  EXPECT_LE(schedule.due_ns(), 10 * kNsPerSecond + 19 * kNsPerMs);
}

TEST(CheckpointSchedule, IsLateSomeIntervalsAfterItWasDue) {
  CheckpointSchedule schedule(2 * kInterval, 0);
  EXPECT_FALSE(schedule.is_late(12 * kInterval));
  EXPECT_TRUE(schedule.is_late(12 * kInterval + 1));
  schedule.begin(12 * kInterval);
  EXPECT_FALSE(schedule.is_late(12 * kInterval + 1));
  CheckpointSchedule quick(kNsPerMs, 0);
  EXPECT_FALSE(quick.is_late(5 * kNsPerSecond));
  EXPECT_TRUE(quick.is_late(6 * kNsPerSecond));
}

TEST(CheckpointSchedule, NoDurationIsTooLong) {
  CheckpointSchedule schedule(kInterval, 0);
  schedule.begin(0);
  schedule.end(std::numeric_limits<std::int64_t>::max() / 2, std::numeric_limits<std::int64_t>::max());
  EXPECT_GT(schedule.due_ns(), 0);
  const CheckpointSchedule seldom(std::numeric_limits<std::int64_t>::max(), 1000);
  EXPECT_GT(seldom.due_ns(), 0);
  EXPECT_FALSE(seldom.is_late(2000));
}

}  // namespace
}  // namespace metricsd::server
