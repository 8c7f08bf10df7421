#include "line_budget.h"

#include <metricsd/models/timestamp.h>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

TEST(LineBudget, AllowsOneLineASecondAndCountsTheRest) {
  LineBudget budget;
  EXPECT_EQ(budget.spend("too_long", 0), 1U);
  for (int i = 1; i <= 999; ++i) EXPECT_EQ(budget.spend("too_long", i * kNsPerMs), std::nullopt);
  EXPECT_EQ(budget.spend("too_long", kNsPerSecond), 1000U);
  EXPECT_EQ(budget.spend("too_long", 5 * kNsPerSecond), 1U);
}

TEST(LineBudget, KeepsReasonsApart) {
  LineBudget budget;
  EXPECT_TRUE(budget.spend("too_long", 0));
  EXPECT_TRUE(budget.spend("half_line", 0));
  EXPECT_FALSE(budget.spend("half_line", 1));
}

}  // namespace
}  // namespace metricsd::server
