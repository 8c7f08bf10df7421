#include <metricsd/support/fallen_counters.h>

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::support {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> fallen(std::string_view before, std::string_view after,
                                const std::vector<std::string>& excepted = {}) {
  return fallen_counters(parse_exposition(before), parse_exposition(after), excepted);
}

TEST(FallenCounters, WhatStaysOrGrowsHasNotFallen) {
  const std::string page = "# TYPE a counter\na{x=\"1\"} 3\na{x=\"2\"} 4\n";
  EXPECT_THAT(fallen(page, page), IsEmpty());
  EXPECT_THAT(fallen(page, "# TYPE a counter\na{x=\"2\"} 4.5\na{x=\"1\"} 3\na{x=\"3\"} 0\n"), IsEmpty());
  EXPECT_THAT(fallen("", page), IsEmpty());
}

TEST(FallenCounters, OneThatIsLowerHas) {
  EXPECT_THAT(fallen("# TYPE a counter\na{x=\"1\",y=\"z\"} 3\na{x=\"2\",y=\"z\"} 3\n",
                     "# TYPE a counter\na{x=\"1\",y=\"z\"} 3\na{x=\"2\",y=\"z\"} 2.5\n"),
              ElementsAre("a{x=\"2\",y=\"z\"}: 3, then 2.5"));
}

TEST(FallenCounters, OneThatIsGoneHas) {
  EXPECT_THAT(fallen("# TYPE a counter\na 0\n", ""), ElementsAre("a: 0, then gone"));
  EXPECT_THAT(fallen("# TYPE a counter\na 1\n", "# TYPE a gauge\na 1\n"), ElementsAre("a: 1, then gone"));
}

TEST(FallenCounters, GaugesAndQuantilesMayFall) {
  EXPECT_THAT(fallen("# TYPE a gauge\na 3\n# TYPE b untyped\nb 3\n", "# TYPE a gauge\na 2\n"), IsEmpty());
  EXPECT_THAT(fallen("# TYPE s summary\ns{quantile=\"0.5\"} 3\ns_sum 3\ns_count 1\n",
                     "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 2\ns_count 2\n"),
              IsEmpty());
}

TEST(FallenCounters, BucketsAndCountsMayNotButSumsMay) {
  const std::string before =
      "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 3\nh_sum 9\nh_count 3\n";
  EXPECT_THAT(
      fallen(before,
             "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 8\nh_count 3\n"),
      ElementsAre("h_bucket{le=\"1\"}: 2, then 1"));
  EXPECT_THAT(fallen(before, "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 8\nh_count 2\n"),
              ElementsAre("h_bucket{le=\"1\"}: 2, then gone", "h_bucket{le=\"+Inf\"}: 3, then 2",
                          "h_count: 3, then 2"));
  EXPECT_THAT(fallen("# TYPE s summary\ns_sum 1\ns_count 2\n", "# TYPE s summary\ns_sum 1\ns_count 1\n"),
              ElementsAre("s_count: 2, then 1"));
}

TEST(FallenCounters, WhatIsExceptedIsNotLookedAt) {
  const std::string before = "# TYPE process_cpu counter\nprocess_cpu 3\n# TYPE a counter\na 3\n";
  EXPECT_THAT(fallen(before, "# TYPE a counter\na 1\n", {"process_"}), ElementsAre("a: 3, then 1"));
}

}  // namespace
}  // namespace metricsd::support
