#include <metricsd/models/labels.h>
#include <metricsd/models/series_order.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

std::string key_of(const std::vector<std::string_view>& values) {
  std::string key;
  append_series_key(key, values);
  return key;
}

class SeriesOrderTest : public testing::Test {
 protected:
  std::vector<std::string> ordered(std::uint64_t layout) {
    const auto order = order_.of(layout, keys_.size(), [this](std::uint32_t i) {
      ++compared_;
      return std::string_view(keys_[i]);
    });
    std::vector<std::string> texts;
    for (const std::uint32_t place : *order) texts.push_back(keys_.at(place));
    return texts;
  }

  // As lists of strings compare.
  [[nodiscard]] std::vector<std::string> expected() const {
    std::vector<std::string> texts = keys_;
    std::sort(texts.begin(), texts.end(),
              [](const std::string& a, const std::string& b) { return values_of(a) < values_of(b); });
    return texts;
  }

  SeriesOrder order_;
  std::vector<std::string> keys_;
  int compared_ = 0;
};

TEST_F(SeriesOrderTest, IsThatOfTheValuesOneByOne) {
  for (const std::string_view a : {"", "a", "ab", "b", "\x01", "\xC3\xA9"}) {
    for (const std::string_view b : {"", "a", "ab", "b", "\x01", "\xC3\xA9"}) keys_.push_back(key_of({a, b}));
  }
  std::shuffle(keys_.begin(), keys_.end(), std::mt19937(1));
  EXPECT_EQ(ordered(1), expected());
}

TEST_F(SeriesOrderTest, IsRememberedAndExtended) {
  std::mt19937 random(1);
  const auto add = [&](int count) {
    for (int i = 0; i < count; ++i) keys_.push_back(key_of({std::to_string(random())}));
  };
  add(100);
  EXPECT_EQ(ordered(1), expected());
  compared_ = 0;
  EXPECT_EQ(ordered(1), expected());
  EXPECT_EQ(compared_, 0);
  add(100);
  EXPECT_EQ(ordered(1), expected());
  std::reverse(keys_.begin(), keys_.end());
  EXPECT_EQ(ordered(2), expected());
  keys_.resize(50);  // an image made before the last one
  EXPECT_EQ(ordered(2), expected());
}

}  // namespace
}  // namespace metricsd
