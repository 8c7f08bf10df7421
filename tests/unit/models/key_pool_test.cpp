#include <metricsd/models/key_pool.h>

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

TEST(KeyPool, KeepsTextsOfEveryLength) {
  KeyPool pool;
  std::vector<std::pair<KeyPool::Id, const StoredKey*>> keys;
  const auto text_of = [](std::size_t size) { return std::string(size, static_cast<char>('a' + size % 26)); };
  for (std::size_t size = 0; size <= KeyPool::kMaxSize; ++size) {
    const KeyPool::Id id = pool.add(text_of(size), size % 2 == 1);
    keys.emplace_back(id, &pool.at(id));
  }
  for (std::size_t size = 0; size <= KeyPool::kMaxSize; ++size) {
    ASSERT_EQ(&pool.at(keys[size].first), keys[size].second) << "it moved";
    ASSERT_EQ(keys[size].second->text(), text_of(size));
    ASSERT_EQ(keys[size].second->is_overflow(), size % 2 == 1);
  }
}

TEST(KeyPool, UsesAPlaceAgain) {
  KeyPool pool;
  for (const std::size_t size : {std::size_t{0}, std::size_t{33}, std::size_t{500}, KeyPool::kMaxSize}) {
    const std::string text(size, 'x');
    std::set<KeyPool::Id> ids;
    for (int i = 0; i < 100; ++i) ids.insert(pool.add(text, false));
    EXPECT_EQ(ids.size(), 100U);
    for (const KeyPool::Id id : ids) pool.remove(id);
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(ids.contains(pool.add(text, false))) << size;
  }
}

TEST(KeyPool, ManyThatComeAndGoDoNotDisturbOneAnother) {
  KeyPool pool;
  std::mt19937 random(1);
  std::vector<std::pair<KeyPool::Id, std::string>> kept;
  for (int step = 0; step < 20'000; ++step) {
    if (kept.size() < 500 || random() % 2 == 0) {
      std::string text(random() % 600, static_cast<char>('a' + random() % 26));
      const KeyPool::Id id = pool.add(text, false);
      kept.emplace_back(id, std::move(text));
    } else {
      std::swap(kept[random() % kept.size()], kept.back());
      ASSERT_EQ(pool.at(kept.back().first).text(), kept.back().second);
      pool.remove(kept.back().first);
      kept.pop_back();
    }
  }
  for (const auto& [id, text] : kept) ASSERT_EQ(pool.at(id).text(), text);
}

}  // namespace
}  // namespace metricsd
