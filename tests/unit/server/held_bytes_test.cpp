#include "ingest/held_bytes.h"

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

TEST(HeldBytes, NobodyGoesUpToTheBound) {
  HeldBytes held(100);
  held.set(1, 60, true);
  held.set(2, 40, true);
  EXPECT_EQ(held.sum(), 100U);
  EXPECT_EQ(held.surplus(), std::nullopt);
  held.set(2, 41, false);
  EXPECT_EQ(held.surplus(), 1U);
}

TEST(HeldBytes, WhoHoldsForLongestGoesFirstHoweverLittle) {
  HeldBytes held(100);
  held.set(1, 1, true);
  held.set(2, 60, true);
  held.set(3, 60, true);
  EXPECT_EQ(held.surplus(), 1U);
  held.set(1, 0, false);
  EXPECT_EQ(held.surplus(), 2U);
  held.set(2, 0, false);
  EXPECT_EQ(held.surplus(), std::nullopt);
  EXPECT_EQ(held.sum(), 60U);
}

TEST(HeldBytes, OneThatGrowsIsAsOldAsItWasAndOneThatBeginsAnewIsNot) {
  HeldBytes held(100);
  held.set(1, 10, true);
  held.set(2, 10, true);
  held.set(1, 90, false);
  held.set(2, 20, false);
  EXPECT_EQ(held.surplus(), 1U);
  held.set(1, 90, true);
  EXPECT_EQ(held.surplus(), 2U);
}

TEST(HeldBytes, WhoHoldsNothingIsUnknown) {
  HeldBytes held(0);
  held.set(1, 0, true);
  held.set(2, 1, true);
  held.set(2, 0, true);
  EXPECT_EQ(held.surplus(), std::nullopt);
  EXPECT_EQ(held.sum(), 0U);
}

}  // namespace
}  // namespace metricsd::server
