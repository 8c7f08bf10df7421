#include "cpu_share.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace metricsd::tools {
namespace {

constexpr std::uint64_t kMs = kNsPerMs;

CpuReading at(std::int64_t ms, std::uint64_t cpu_ms) {
  return {ms * kNsPerMs, cpu_ms * kMs};
}

TEST(CpuShare, IsOfTheTimeSinceTheReadingBefore) {
  CpuShare share(at(0, 100));
  EXPECT_DOUBLE_EQ(share.next(at(1000, 600)).value(), 50);
  EXPECT_DOUBLE_EQ(share.next(at(2000, 600)).value(), 0);
  EXPECT_DOUBLE_EQ(share.next(at(2200, 700)).value(), 50);
}

TEST(CpuShare, AReadingTooEarlyIsOfALongerTime) {
  CpuShare share(at(0, 0));
  EXPECT_DOUBLE_EQ(share.next(at(1000, 900)).value(), 90);
  EXPECT_DOUBLE_EQ(share.next(at(2000, 1800)).value(), 90);
  EXPECT_NEAR(share.next(at(2005, 1890)).value(), 100 * 990.0 / 1005, 1e-9) << "not 1,800 %";
  EXPECT_NEAR(share.next(at(3000, 2700)).value(), 90, 1e-9) << "since the second";
}

TEST(CpuShare, OfManyReadingsIsOfAtLeastItsShortestTime) {
  CpuShare share(at(0, 0));
  std::uint64_t cpu_ms = 0;
  for (std::int64_t ms = 10; ms <= 5000; ms += 10) {
    if (ms % 100 == 0) cpu_ms += 50;  // comes in lumps, as ticks do
    const double percent = share.next(at(ms, cpu_ms)).value();
    EXPECT_LE(percent, 75) << ms;
    if (ms < kShortestShareNs / kNsPerMs) continue;
    EXPECT_GE(percent, 25) << ms;
  }
}

TEST(CpuShare, ShortlyAfterTheFirstReadingIsOfAllThereIs) {
  CpuShare share(at(0, 0));
  EXPECT_DOUBLE_EQ(share.next(at(3, 0)).value(), 0);
  EXPECT_DOUBLE_EQ(share.next(at(50, 20)).value(), 40);
  CpuShare long_run(at(0, 0));
  (void)long_run.next(at(3, 3));
  EXPECT_DOUBLE_EQ(long_run.next(at(1000, 500)).value(), 50)
      << "with what was used before the second reading";
}

TEST(CpuShare, IsNeverMoreThanTheMachineHas) {
  CpuShare share(at(0, 0));
  const double all = 100.0 * static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN));
  EXPECT_DOUBLE_EQ(share.next(at(1, 1'000'000)).value(), all);
  EXPECT_DOUBLE_EQ(within_machine(all), all);
  EXPECT_DOUBLE_EQ(within_machine(99.5), 99.5);
}

TEST(CpuShare, IsNothingWithinNoTimeAndNeverFalls) {
  CpuShare share(at(10, 5));
  EXPECT_EQ(share.next(at(10, 6)), std::nullopt);
  EXPECT_DOUBLE_EQ(share.next(at(1000, 1)).value(), 0);
}

TEST(CpuShare, OfANewcomerIsOfTheSameTime) {
  CpuShare share(at(0, 0));
  (void)share.next(at(1000, 900));
  CpuShare newcomer = share.of_newcomer();
  EXPECT_DOUBLE_EQ(newcomer.next(at(2000, 300)).value(), 30);
}

}  // namespace
}  // namespace metricsd::tools
