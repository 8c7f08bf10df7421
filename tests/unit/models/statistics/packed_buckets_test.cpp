#include "../state/saved.h"

#include <metricsd/models/statistics/packed_buckets.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

using Reference = std::map<std::int32_t, std::uint64_t>;

constexpr std::size_t kMost = 160;

std::vector<Bucket> all_of(const Reference& reference) {
  std::vector<Bucket> buckets;
  for (const auto& [index, count] : reference) buckets.push_back({index, count});
  return buckets;
}

void count(PackedBuckets& buckets, std::int32_t index, std::uint64_t times) {
  const std::size_t at = buckets.position_of(index);
  if (buckets.holds(at, index)) {
    if (times != 1 || !buckets.increment(at, index)) buckets.add(at, times);
  } else {
    buckets.insert(at, {index, times}, kMost);
  }
}

TEST(PackedBuckets, HoldsNothingAtFirst) {
  PackedBuckets buckets;
  EXPECT_TRUE(buckets.empty());
  EXPECT_EQ(buckets.position_of(5), 0U);
  EXPECT_FALSE(buckets.holds(0, 0));
  EXPECT_FALSE(buckets.increment(0, 0));
  EXPECT_EQ(buckets, PackedBuckets(std::vector<Bucket>()));
}

// How many bytes they are; 0 where what was loaded is not what was saved.
std::size_t saved_size(const std::vector<Bucket>& buckets) {
  const std::string bytes = saved(PackedBuckets(buckets));
  StateReader reader(bytes);
  const std::vector<Bucket> loaded = PackedBuckets::load(reader, buckets.size());
  return loaded == buckets && reader.at_end() && !reader.failed() ? bytes.size() : 0;
}

TEST(PackedBuckets, AreSavedAsWideAsTheyMustBe) {
  constexpr auto kLeast = std::numeric_limits<std::int32_t>::min();
  constexpr auto kGreatest = std::numeric_limits<std::int32_t>::max();
  constexpr auto kMostCounted = std::numeric_limits<std::uint64_t>::max();
  constexpr std::size_t kHead = 3;  // count, index and widths, where they are small
  EXPECT_EQ(saved_size({}), 1U);
  EXPECT_EQ(saved_size({{5, 255}}), kHead + 1);
  EXPECT_EQ(saved_size({{5, 256}}), kHead + 2);
  EXPECT_EQ(saved_size({{5, 1}, {6, 1}, {8, 1}}), kHead + 2 + 3);
  EXPECT_EQ(saved_size({{5, 1}, {5 + 255, 1}, {5 + 511, 0xFF'FFFF}}), kHead + 4 + 3 + 6);
  EXPECT_EQ(saved_size({{kLeast, 1}, {0, kMostCounted}, {kGreatest, 1}}), kHead + 4 + 8 + 3 + 24);
  std::vector<Bucket> many;
  std::mt19937_64 random(3);
  for (std::int32_t i = 0; i < 3000; ++i) many.push_back({i * 5 - 700, random() >> (random() % 64)});
  EXPECT_GT(saved_size(many), 0U);
}

TEST(PackedBuckets, AreLoadedFromNothingThatIsNotTheirs) {
  const std::vector<Bucket> buckets{{-300, 1}, {-2, 70'000}, {9000, 3}};
  const std::string bytes = saved(PackedBuckets(buckets));
  const auto load = [](std::string_view from, std::size_t most) {
    StateReader reader(from);
    std::vector<Bucket> loaded = PackedBuckets::load(reader, most);
    EXPECT_TRUE(!reader.failed() || loaded.empty());
    return loaded;
  };
  EXPECT_EQ(load(bytes, 3), buckets);
  EXPECT_TRUE(load(bytes, 2).empty());
  for_each_cut(bytes, [&](std::string_view cut) { EXPECT_TRUE(load(cut, 3).empty()); });
  for_each_damage(bytes, [&](std::string_view damaged) {
    const std::vector<Bucket> loaded = load(damaged, 1000);
    for (std::size_t i = 1; i < loaded.size(); ++i) EXPECT_LT(loaded[i - 1].index, loaded[i].index);
  });
  for (const char widths : {'\x03', '\x30', '\x01', '\xF1'}) {
    std::string changed = bytes;
    changed[1 + 2] = widths;  // behind the count and the first index
    EXPECT_TRUE(load(changed, 3).empty());
  }
}

TEST(PackedBuckets, IncrementsNoOtherBucketThanWasMeant) {
  PackedBuckets buckets(std::vector<Bucket>{{-7, 1}, {3, 2}});
  EXPECT_TRUE(buckets.increment(1, 3));
  EXPECT_FALSE(buckets.increment(0, 3));
  EXPECT_FALSE(buckets.increment(2, 3));
  EXPECT_FALSE(buckets.increment(255, 3));
  EXPECT_FALSE(buckets.increment(1, 3 + 0x1'0000)) << "the same in sixteen bits";
  EXPECT_EQ(buckets.unpacked(), (std::vector<Bucket>{{-7, 1}, {3, 3}}));
}

TEST(PackedBuckets, CountsPastEveryWidth) {
  for (const int bits : {8, 16, 24, 40}) {
    const std::uint64_t greatest = (std::uint64_t{1} << bits) - 1;
    PackedBuckets buckets(std::vector<Bucket>{{-1, 7}, {0, greatest - 1}, {1, 9}});
    EXPECT_TRUE(buckets.increment(1, 0));
    EXPECT_EQ(buckets[1].count, greatest);
    PackedBuckets added = buckets;
    EXPECT_TRUE(buckets.increment(1, 0));
    added.add(1, 1);
    EXPECT_EQ(buckets.unpacked(), (std::vector<Bucket>{{-1, 7}, {0, greatest + 1}, {1, 9}})) << bits;
    EXPECT_EQ(added, buckets);
    added.add(0, greatest);
    EXPECT_EQ(added[0].count, greatest + 7);
  }
  PackedBuckets buckets(std::vector<Bucket>{{0, 1}});
  buckets.add(0, std::numeric_limits<std::uint64_t>::max() - 1);
  EXPECT_EQ(buckets[0].count, std::numeric_limits<std::uint64_t>::max());
}

TEST(PackedBuckets, AWideCountComesBesideNarrowOnes) {
  for (const std::uint64_t wide : {0xFFULL, 0x100ULL, 0xFFFFULL, 0x1'0000ULL, 0xFF'FFFFULL, 0x100'0000ULL,
                                   0xFF'FFFF'FFFFULL, 0x100'0000'0000ULL}) {
    PackedBuckets buckets(std::vector<Bucket>{{0, 1}, {2, 3}});
    buckets.insert(1, {1, wide}, kMost);
    EXPECT_EQ(buckets.unpacked(), (std::vector<Bucket>{{0, 1}, {1, wide}, {2, 3}}));
  }
}

TEST(PackedBuckets, TellsIndicesAnyDistanceApart) {
  constexpr std::int32_t kFirst = std::numeric_limits<std::int32_t>::min();
  constexpr std::int32_t kLast = std::numeric_limits<std::int32_t>::max();
  for (const std::int32_t last : {kFirst + 1, kFirst + 0xFFFF, kFirst + 0x1'0000, 0, kLast - 1, kLast}) {
    PackedBuckets upwards;
    count(upwards, kFirst, 1);
    count(upwards, last, 2);
    PackedBuckets downwards;
    count(downwards, last, 2);
    count(downwards, kFirst, 1);
    const PackedBuckets at_once(std::vector<Bucket>{{kFirst, 1}, {last, 2}});
    EXPECT_EQ(at_once.unpacked(), (std::vector<Bucket>{{kFirst, 1}, {last, 2}}));
    EXPECT_EQ(upwards, at_once);
    EXPECT_EQ(downwards, at_once);
    EXPECT_EQ(at_once.position_of(kFirst), 0U);
    EXPECT_EQ(at_once.position_of(last), 1U);
    EXPECT_TRUE(at_once.holds(1, last));
    EXPECT_FALSE(at_once.holds(1, kFirst));
  }
}

TEST(PackedBuckets, ACopyIsItsOwn) {
  PackedBuckets buckets(std::vector<Bucket>{{0, 1}, {0x2'0000, 300}});
  PackedBuckets copy = buckets;
  EXPECT_EQ(copy, buckets);
  copy.add(0, 1);
  EXPECT_EQ(buckets[0].count, 1U);
  EXPECT_FALSE(copy == buckets);

  const PackedBuckets moved = std::move(copy);
  EXPECT_EQ(moved.unpacked(), (std::vector<Bucket>{{0, 2}, {0x2'0000, 300}}));
  // It holds nothing, and may be used again.
  // NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  EXPECT_TRUE(copy.empty());
  copy.insert(copy.position_of(4), {4, 1}, kMost);
  // NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  EXPECT_EQ(copy.unpacked(), (std::vector<Bucket>{{4, 1}}));
  buckets = moved;
  EXPECT_EQ(buckets, moved);
}

TEST(PackedBuckets, EqualityIsOfWhatIsHeldNotOfHow) {
  PackedBuckets narrow(std::vector<Bucket>{{1, 1}});
  PackedBuckets grown;
  count(grown, 2, 1);
  for (int i = 0; i < 3; ++i) count(grown, 1, 1);
  EXPECT_FALSE(narrow == grown);
  count(narrow, 1, 2);
  count(narrow, 2, 1);
  EXPECT_EQ(narrow, grown);
  EXPECT_FALSE(PackedBuckets(std::vector<Bucket>{{1, 1}}) == PackedBuckets(std::vector<Bucket>{{2, 1}}));
}

// Indices near each other, some farther than sixteen bits; counts around the bounds of their widths.
TEST(PackedBuckets, IsAMapOfCounts) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 300; ++round) {
    Reference reference;
    PackedBuckets buckets;
    const std::int32_t spread = 1 << (random() % 20);
    const std::uint64_t bits = random() % 44;
    for (int step = 0; step < 500; ++step) {
      const auto index =
          static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(2 * spread)) - spread;
      const std::uint64_t times = step % 4 == 0 ? (std::uint64_t{1} << (random() % (bits + 1))) - 1 : 1;
      if (times == 0) continue;
      reference[index] += times;
      count(buckets, index, times);
    }
    ASSERT_EQ(buckets.unpacked(), all_of(reference)) << round;
    ASSERT_EQ(buckets, PackedBuckets(all_of(reference))) << round;
    for (std::int32_t index = -std::min(spread, 1000); index < std::min(spread, 1000); ++index) {
      const auto place = reference.lower_bound(index);
      ASSERT_EQ(buckets.position_of(index),
                static_cast<std::size_t>(std::distance(reference.begin(), place)));
    }
  }
}

}  // namespace
}  // namespace metricsd
