#include <metricsd/models/key_index.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

TEST(KeyIndex, AgreesWithAMapThroughInsertionsAndErasures) {
  std::vector<std::string> texts;
  for (int i = 0; i < 500; ++i) texts.push_back(std::to_string(i));
  const auto text_of = [&](std::uint32_t id) -> std::string_view { return texts[id]; };
  KeyIndex index;
  std::map<std::string, std::uint32_t> expected;
  std::mt19937 random(1);
  for (int step = 0; step < 50'000; ++step) {
    const auto id = static_cast<std::uint32_t>(random() % texts.size());
    if (expected.erase(texts[id]) > 0) {
      index.erase(texts[id], text_of);
    } else {
      index.insert(id, text_of);
      expected[texts[id]] = id;
    }
    const auto asked = static_cast<std::uint32_t>(random() % texts.size());
    ASSERT_EQ(index.find(texts[asked], text_of), expected.contains(texts[asked]) ? asked : KeyIndex::kNone);
    ASSERT_EQ(index.size(), expected.size());
  }
  std::size_t visited = 0;
  index.for_each([&](std::uint32_t id) { visited += expected.contains(texts[id]) ? 1 : 0; });
  EXPECT_EQ(visited, expected.size());
}

TEST(KeyIndex, AnEmptyOneFindsNothing) {
  EXPECT_EQ(KeyIndex().find("x", [](std::uint32_t) { return std::string_view(); }), KeyIndex::kNone);
}

}  // namespace
}  // namespace metricsd
