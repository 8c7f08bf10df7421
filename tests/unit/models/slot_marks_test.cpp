#include <metricsd/models/slot_marks.h>

#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

std::vector<std::uint32_t> marked(const SlotMarks& marks) {
  std::vector<std::uint32_t> slots;
  marks.for_each([&](std::uint32_t slot) { slots.push_back(slot); });
  return slots;
}

TEST(SlotMarks, AreWhatWasMarked) {
  std::mt19937 random(1);
  SlotMarks marks;
  std::set<std::uint32_t> expected;
  for (std::uint32_t round = 1; round <= 1000; ++round) {
    marks.cover(round);
    const auto slot = static_cast<std::uint32_t>(random() % round);
    if (random() % 3 == 0) {
      marks.unmark(slot);
      expected.erase(slot);
    } else {
      marks.mark(slot);
      expected.insert(slot);
    }
    ASSERT_EQ(marks.count(), expected.size());
  }
  EXPECT_EQ(marked(marks), std::vector<std::uint32_t>(expected.begin(), expected.end()));
}

TEST(SlotMarks, CoverAsBeforeWhenCleared) {
  SlotMarks marks;
  marks.cover(65);
  marks.mark(64);
  marks.clear();
  EXPECT_TRUE(marked(marks).empty());
  marks.mark(64);
  EXPECT_EQ(marked(marks), (std::vector<std::uint32_t>{64}));
}

}  // namespace
}  // namespace metricsd
