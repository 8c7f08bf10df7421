#include <metricsd/ipc/counter_timeline.h>
#include <metricsd/models/timestamp.h>

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

namespace metricsd::ipc {
namespace {

// A counter of three ticks a nanosecond that began long before the clock.
constexpr std::int64_t kTicksPerNs = 3;
constexpr std::int64_t kBegin = 1'000'000;

CounterReading at(std::int64_t ns, std::int64_t wall_minus_monotonic = 0) {
  return {kBegin + ns * kTicksPerNs, ns, ns + wall_minus_monotonic};
}

TEST(CounterTimeline, IsExactBetweenItsReadings) {
  CounterTimeline line(at(0));
  line.add(at(5 * kNsPerMs));
  for (const std::int64_t ns : {std::int64_t{0}, std::int64_t{1}, kNsPerMs, 5 * kNsPerMs}) {
    EXPECT_EQ(line.monotonic_ns(at(ns).ticks), ns);
  }
}

TEST(CounterTimeline, GoesOnBeyondThem) {
  CounterTimeline line(at(kNsPerSecond));
  line.add(at(2 * kNsPerSecond));
  EXPECT_EQ(line.monotonic_ns(at(2'500'000'000).ticks), 2'500'000'000);
  EXPECT_EQ(line.monotonic_ns(at(10).ticks), 10);
}

TEST(CounterTimeline, FollowsAChangeOfRate) {
  CounterTimeline line(at(0));
  line.add(at(kNsPerSecond));
  // From now on a tick lasts twice as long.
  const CounterReading kink = at(kNsPerSecond);
  for (int second = 1; second <= 3; ++second) {
    line.add({kink.ticks + second * kNsPerSecond, kink.monotonic_ns + second * kNsPerSecond, 0});
  }
  EXPECT_EQ(line.monotonic_ns(at(kNsPerSecond / 2).ticks), kNsPerSecond / 2);
  EXPECT_EQ(line.monotonic_ns(kink.ticks + 3 * kNsPerSecond / 2), 5 * kNsPerSecond / 2);
}

// Two days in passes of 10 ms would be too many to keep; what is kept still leads anywhere.
TEST(CounterTimeline, KeepsABoundedNumberOfReadings) {
  CounterTimeline line(at(0));
  constexpr std::int64_t kHours = 48;
  for (std::int64_t second = 1; second <= kHours * 3600; ++second) line.add(at(second * kNsPerSecond));
  for (const std::int64_t second : {0L, 1L, 100L, 3600L, kHours * 1800, kHours * 3600}) {
    EXPECT_NEAR(static_cast<double>(line.monotonic_ns(at(second * kNsPerSecond).ticks)),
                static_cast<double>(second * kNsPerSecond), 1.0)
        << second;
  }
}

TEST(CounterTimeline, DatesByTheWallClockAsItIsSetNow) {
  CounterTimeline line(at(0, 1000));
  line.add(at(100, 1000));
  EXPECT_EQ(line.wall_ns(50), 1050);
  line.add(at(200, 5000));
  EXPECT_EQ(line.wall_ns(50), 5050);
}

TEST(CounterTimeline, TakesAnyTicks) {
  CounterTimeline line(at(0));
  line.add(at(kNsPerSecond));
  EXPECT_LT(line.monotonic_ns(std::numeric_limits<std::int64_t>::min()), 0);
  EXPECT_GT(line.monotonic_ns(std::numeric_limits<std::int64_t>::max() / 2), 0);
}

TEST(CounterTimeline, LeavesItsLastPieceInTheSegment) {
  CounterTimeline line(at(0, 7));
  line.add(at(kNsPerSecond, 7));
  line.add(at(2 * kNsPerSecond, 7));
  SegmentCalibration calibration{};
  line.save(calibration);
  const CalibrationLine& saved = calibration.lines[calibration.current];
  EXPECT_EQ(saved.last_ticks, at(2 * kNsPerSecond).ticks);
  EXPECT_EQ(saved.last_monotonic_ns, 2 * kNsPerSecond);
  EXPECT_LT(saved.first_ticks, saved.last_ticks);
  EXPECT_EQ(saved.wall_minus_monotonic_ns, 7);

  const CounterTimeline read(saved);
  EXPECT_EQ(read.monotonic_ns(at(2'500'000'000).ticks), 2'500'000'000);
  EXPECT_EQ(read.wall_ns(100), 107);
}

// A process may be killed while it saves: the line before is whole then.
TEST(CounterTimeline, LeavesTheLineBeforeAloneWhileItSaves) {
  CounterTimeline line(at(0));
  SegmentCalibration calibration{};
  line.save(calibration);
  const std::uint32_t before = calibration.current;
  line.add(at(kNsPerSecond));
  line.save(calibration);
  EXPECT_NE(calibration.current, before);
  EXPECT_EQ(calibration.lines[before].last_ticks, at(0).ticks);
}

TEST(CounterTimeline, BearsAnyLine) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  for (const std::int64_t a : {kLeast, std::int64_t{0}, kMost}) {
    for (const std::int64_t b : {kLeast, std::int64_t{0}, kMost}) {
      CounterTimeline line(CalibrationLine{a, b, b, a, a});
      EXPECT_EQ(line.length_ns() < 0, a < b) << a << " " << b;
      for (const std::int64_t ticks : {kLeast, std::int64_t{0}, kMost}) {
        static_cast<void>(line.wall_ns(line.monotonic_ns(ticks)));
      }
      line.add(CounterReading::take());
      static_cast<void>(line.monotonic_ns(1));
    }
  }
}

}  // namespace
}  // namespace metricsd::ipc
