#include <metricsd/models/statistics/exact_selection.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

using Values = std::vector<std::uint64_t>;

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

// Hands out the values in uneven blocks, and counts the passes.
struct Source {
  Values values;
  int passes = 0;

  ValueSource as_source() {
    return [this](const ValueVisitor& visit) -> Result<> {
      ++passes;
      for (std::size_t begin = 0, size = 1; begin < values.size(); begin += size, size = size % 7 + 1) {
        visit(std::span(values).subspan(begin, std::min(size, values.size() - begin)));
      }
      return {};
    };
  }
};

Values select(const Values& values, const Values& ranks, std::size_t in_memory) {
  Source source{values};
  const auto selected = select_ranks(source.as_source(), values.size(), ranks, in_memory);
  EXPECT_TRUE(selected);
  EXPECT_LE(source.passes, 5);
  return selected ? *selected : Values{};
}

void expect_exact(const Values& values, const Values& ranks) {
  Values sorted = values;
  std::sort(sorted.begin(), sorted.end());
  Values expected;
  for (const std::uint64_t rank : ranks) expected.push_back(sorted[rank]);
  for (const std::size_t in_memory : {std::size_t{0}, std::size_t{1}, values.size() / 10, values.size() - 1,
                                      values.size(), std::size_t{1} << 22}) {
    EXPECT_EQ(select(values, ranks, in_memory), expected) << in_memory;
  }
}

Values all_ranks(std::size_t count) {
  Values ranks(count);
  std::iota(ranks.begin(), ranks.end(), std::uint64_t{0});
  return ranks;
}

Values random_values(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Values values(count);
  for (std::uint64_t& value : values) value = random() >> random() % 64;
  return values;
}

TEST(SelectRanks, NoRanks) {
  EXPECT_EQ(select({1, 2, 3}, {}, 0), Values{});
}

TEST(SelectRanks, OneValue) {
  expect_exact({42}, {0});
}

TEST(SelectRanks, EveryRankOfAFew) {
  expect_exact({5, 3, 9, 1, 7}, all_ranks(5));
}

TEST(SelectRanks, SeveralRanksOfMany) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    expect_exact(random_values(10'000, seed), {0, 1, 4999, 5000, 7499, 9000, 9989, 9998, 9999});
  }
}

TEST(SelectRanks, ManyRanks) {
  expect_exact(random_values(40, 6), all_ranks(40));
}

TEST(SelectRanks, SameRankTwice) {
  expect_exact({5, 3, 9, 1, 7}, {2, 2, 2, 4, 4});
}

TEST(SelectRanks, AllEqual) {
  expect_exact(Values(1000, 77), {0, 500, 999});
  expect_exact(Values(1000, kMost), {0, 500, 999});
  expect_exact(Values(1000, 0), {0, 500, 999});
}

TEST(SelectRanks, Duplicates) {
  Values values = random_values(3000, 7);
  for (std::uint64_t& value : values) value %= 4;
  expect_exact(values, {0, 700, 749, 750, 1500, 2999});
}

TEST(SelectRanks, Extremes) {
  expect_exact({kMost, 0, kMost - 1, 1, std::uint64_t{1} << 63, (std::uint64_t{1} << 63) - 1}, all_ranks(6));
}

TEST(SelectRanks, ValuesThatDifferOnlyInTheLastBits) {
  Values values(2000);
  std::iota(values.begin(), values.end(), kMost - 5000);
  expect_exact(values, {0, 1000, 1001, 1999});
}

TEST(SelectRanks, OnePassWhereTheyFit) {
  Source source{random_values(100, 8)};
  ASSERT_TRUE(select_ranks(source.as_source(), 100, Values{50}, 100));
  EXPECT_EQ(source.passes, 1);
}

TEST(SelectRanks, TwoPassesOverMany) {
  Source source{random_values(100'000, 10)};
  const auto selected = select_ranks(source.as_source(), 100'000, Values{49'999, 50'000, 99'900});
  ASSERT_TRUE(selected);
  EXPECT_EQ(source.passes, 2);
  std::sort(source.values.begin(), source.values.end());
  EXPECT_EQ(*selected, (Values{source.values[49'999], source.values[50'000], source.values[99'900]}));
}

TEST(SelectRanks, OnePassOverManyThatAreCountedAlready) {
  Source source{random_values(100'000, 11)};
  CellCounts counts;
  counts.apply(std::span(source.values).first(60'000));
  CellCounts rest;
  rest.apply(std::span(source.values).subspan(60'000));
  counts.merge(rest);
  const auto selected = select_ranks(source.as_source(), counts, Values{0, 99'000});
  ASSERT_TRUE(selected);
  EXPECT_EQ(source.passes, 1);
  std::sort(source.values.begin(), source.values.end());
  EXPECT_EQ(*selected, (Values{source.values[0], source.values[99'000]}));
}

TEST(SelectRanks, NoPassWhereTheCountsDecide) {
  Source source{Values(50'000, 2047)};  // small enough to have a cell of its own
  CellCounts counts;
  counts.apply(source.values);
  const auto selected = select_ranks(source.as_source(), counts, Values{0, 49'999});
  ASSERT_TRUE(selected);
  EXPECT_EQ(*selected, (Values{2047, 2047}));
  EXPECT_EQ(source.passes, 0);
}

// One value in the middle of each of two neighbouring cells, at either side of their border, and so on: the
// ranks asked for are the last of one cell and the first of the next.
TEST(SelectRanks, RanksAtTheEdgesOfCells) {
  for (const std::uint64_t border : {std::uint64_t{2048}, std::uint64_t{4096}, std::uint64_t{4098},
                                     std::uint64_t{1} << 40, (std::uint64_t{1} << 40) + (1 << 29)}) {
    ASSERT_NE(CellCounts::cell_of(border), CellCounts::cell_of(border - 1));
    Values values(700, border - 1);
    values.insert(values.end(), 300, border);
    expect_exact(values, {0, 698, 699, 700, 701, 999});
    values.insert(values.end(), 500, border + 1);
    expect_exact(values, {0, 699, 700, 999, 1000, 1499});
  }
}

TEST(SelectRanks, TwoValues) {
  expect_exact({0, kMost}, {0, 1});
  expect_exact({3, 3}, {0, 1});
  Values values(20'000, 1);
  values.push_back(kMost);
  expect_exact(values, {0, 19'999, 20'000});
}

TEST(CellCounts, CellsAreInTheOrderOfTheirValues) {
  EXPECT_EQ(CellCounts::cell_of(0), 0U);
  EXPECT_EQ(CellCounts::cell_of(kMost), CellCounts::kCells - 1);
  for (std::size_t cell = 0; cell < CellCounts::kCells; ++cell) {
    const std::uint64_t first = CellCounts::first_value_of(cell);
    ASSERT_EQ(CellCounts::cell_of(first), cell);
    ASSERT_EQ(first == 0 ? 0 : CellCounts::cell_of(first - 1), cell == 0 ? 0 : cell - 1);
    const std::uint64_t last = first + ((std::uint64_t{1} << CellCounts::undecided_bits(cell)) - 1);
    ASSERT_EQ(CellCounts::cell_of(last), cell);
  }
}

TEST(SelectRanks, CollectsAsSoonAsTheRestFits) {
  Values values = random_values(1000, 9);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = i << 48;  // the first 11 bits tell them apart
  Source source{values};
  const auto selected = select_ranks(source.as_source(), 1000, Values{10}, 5);
  ASSERT_TRUE(selected);
  EXPECT_EQ(*selected, Values{std::uint64_t{10} << 48});
  EXPECT_EQ(source.passes, 2);
}

TEST(SelectRanks, HandsOnWhatReadingFailsWith) {
  int good_passes = 0;
  const ValueSource source = [&](const ValueVisitor& visit) -> Result<> {
    if (good_passes-- == 0) return Errc::corrupt_state;
    visit(Values{kMost - 2, kMost - 1, kMost});
    return {};
  };
  for (const int good : {0, 1, 2, 3, 4}) {  // the three differ in their last bits only: five passes
    good_passes = good;
    const auto selected = select_ranks(source, 3, Values{1}, 2);
    ASSERT_FALSE(selected);
    EXPECT_EQ(selected.error(), Errc::corrupt_state);
  }
}

}  // namespace
}  // namespace metricsd
