#include <metricsd/models/slots.h>

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

TEST(Slots, ValuesStayWhereTheyAre) {
  Slots<std::string> slots;
  std::vector<const std::string*> places;
  for (int i = 0; i < 1000; ++i) places.push_back(&slots[slots.add(std::to_string(i))]);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(&slots[i], places[i]);
    EXPECT_EQ(slots[i], std::to_string(i));
  }
}

TEST(Slots, ASlotIsUsedAgain) {
  Slots<std::string> slots;
  for (int i = 0; i < 40; ++i) slots.add(std::to_string(i));
  EXPECT_FALSE(slots.reuses());
  slots.erase(17);
  EXPECT_FALSE(slots.holds(17));
  EXPECT_EQ(slots.size(), 39U);
  EXPECT_TRUE(slots.reuses());
  EXPECT_EQ(slots.add("again"), 17U);
  EXPECT_TRUE(slots.holds(17));
  EXPECT_EQ(slots[17], "again");
  EXPECT_EQ(slots.add("behind"), 40U);
  EXPECT_EQ(slots.end(), 41U);
}

TEST(Slots, DestroysWhatItHoldsAndNothingElse) {
  const auto value = std::make_shared<int>(1);
  {
    Slots<std::shared_ptr<int>> slots;
    for (int i = 0; i < 20; ++i) slots.add(value);
    slots.erase(3);
    EXPECT_EQ(value.use_count(), 20);
    const Slots<std::shared_ptr<int>> moved = std::move(slots);
    EXPECT_EQ(moved.size(), 19U);
    EXPECT_EQ(value.use_count(), 20);
  }
  EXPECT_EQ(value.use_count(), 1);
}

}  // namespace
}  // namespace metricsd
