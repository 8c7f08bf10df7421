#include "flag_values.h"

#include <metricsd/models/timestamp.h>

#include <limits>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

using ::testing::ElementsAre;

TEST(FlagValues, DurationsHaveUnits) {
  EXPECT_EQ(parse_duration("off"), 0);
  EXPECT_EQ(parse_duration("0"), 0);
  EXPECT_EQ(parse_duration("250ms"), 250 * kNsPerMs);
  EXPECT_EQ(parse_duration("2h"), 7200 * kNsPerSecond);
  EXPECT_EQ(parse_duration("7d"), 7 * 86'400 * kNsPerSecond);
  for (const char* text : {"", "5", "s", "-1s", "1.5h", "1w", "1s ", "99999999999999d"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(FlagValues, QuantitiesHaveUnits) {
  EXPECT_EQ(parse_quantity("off"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(parse_quantity("7"), 7U);
  EXPECT_EQ(parse_quantity("64KiB"), 65'536U);
  EXPECT_EQ(parse_quantity("2MiB"), 2U << 20);
  EXPECT_EQ(parse_quantity("1GiB"), 1U << 30);
  for (const char* text : {"", "0", "-1", "KiB", "1kib", "1.5MiB", "1 MiB", "99999999999GiB"}) {
    EXPECT_EQ(parse_quantity(text), std::nullopt) << text;
  }
}

TEST(FlagValues, BoundsAscend) {
  EXPECT_THAT(parse_bounds("0.1,1,1e3").value(), ElementsAre(0.1, 1, 1000));
  for (const char* text : {"", ",", "1,", "1,,2", "2,1", "1,1", "-1", "nan", "inf", "1 ,2", "x"}) {
    EXPECT_EQ(parse_bounds(text), std::nullopt) << text;
  }
}

TEST(FlagValues, BoundsAreWrittenAsTheyAreRead) {
  EXPECT_EQ(join_bounds({0.0001, 1, 1e9}), "0.0001,1,1000000000");
  EXPECT_EQ(join_bounds({}), "");
}

TEST(FlagValues, ModesAreOctalPermissions) {
  EXPECT_EQ(parse_mode("0660"), 0660U);
  EXPECT_EQ(parse_mode("777"), 0777U);
  for (const char* text : {"", "8", "1777", "-1", "rw", "0660 "}) {
    EXPECT_EQ(parse_mode(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace metricsd::server
