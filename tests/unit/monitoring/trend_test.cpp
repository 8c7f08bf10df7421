#include "trend.h"

#include <numeric>

#include <gmock/gmock.h>

namespace metricsd::tools {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

TEST(Trend, KeepsFewValuesAsTheyAre) {
  Trend trend;
  EXPECT_TRUE(trend.points().empty());
  for (const double value : {1, 5, 2}) trend.add(value);
  EXPECT_THAT(trend.points(), ElementsAre(DoubleEq(1), DoubleEq(5), DoubleEq(2)));
}

TEST(Trend, ManyBecomeMeansOfTheWholeRun) {
  Trend trend;
  constexpr int kValues = 10'000;
  for (int i = 0; i < kValues; ++i) trend.add(i);
  const auto points = trend.points();
  EXPECT_LE(points.size(), Trend::kPoints);
  EXPECT_GT(points.size(), Trend::kPoints / 2);
  EXPECT_TRUE(std::is_sorted(points.begin(), points.end()));
  EXPECT_LT(points.front(), 256);
  EXPECT_GT(points.back(), kValues - 256);
}

TEST(Trend, MeansAreOfAllValues) {
  Trend trend;
  for (std::size_t i = 0; i < 4 * Trend::kPoints; ++i) trend.add(i % 2 == 0 ? 0 : 2);
  for (const double point : trend.points()) EXPECT_DOUBLE_EQ(point, 1);
}

TEST(Sparkline, IsBetweenZeroAndTheGreatest) {
  EXPECT_EQ(sparkline({0, 50, 100}), "▁▅█");
  EXPECT_EQ(sparkline({0, 0, 0}), "▁▁▁");
  EXPECT_EQ(sparkline({7, 7, 7}), "███");
}

TEST(Sparkline, OfTwoPointsThereIsNone) {
  EXPECT_EQ(sparkline({}), "");
  EXPECT_EQ(sparkline({1, 2}), "");
}

TEST(Sparkline, OfMorePointsThanThereIsRoomFor) {
  EXPECT_EQ(sparkline({0, 0, 0, 7, 7, 7, 7, 7}, 4), "▁▅██");
}

}  // namespace
}  // namespace metricsd::tools
