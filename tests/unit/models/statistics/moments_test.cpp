#include "../state/saved.h"

#include <metricsd/models/statistics/moments.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kNsPerMillisecond = 1'000'000;

Moments moments_of(const std::vector<std::uint64_t>& values) {
  Moments moments;
  for (const std::uint64_t value : values) moments.apply(value);
  return moments;
}

void expect_equal(const Moments& a, const Moments& b) {
  EXPECT_EQ(a.count(), b.count());
  EXPECT_EQ(a.min(), b.min());
  EXPECT_EQ(a.max(), b.max());
  EXPECT_TRUE(a.sum() == b.sum());
  EXPECT_EQ(a.mean(kNsPerMillisecond), b.mean(kNsPerMillisecond));
  EXPECT_EQ(a.stddev(kNsPerMillisecond), b.stddev(kNsPerMillisecond));
}

TEST(Moments, LoadWhatTheySaved) {
  std::mt19937_64 random(7);
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 1000; ++i) values.push_back(random() >> (random() % 64));
  for (const Moments& moments : {Moments(), moments_of({0}), moments_of({0, kMost}), moments_of({5, 5, 5}),
                                 moments_of(std::vector<std::uint64_t>(1000, kMost)), moments_of(values)}) {
    const std::string bytes = saved(moments);
    StateReader reader(bytes);
    const Moments loaded = Moments::load(reader);
    EXPECT_TRUE(reader.at_end() && !reader.failed());
    EXPECT_EQ(saved(loaded), bytes);
    expect_equal(loaded, moments);
  }
}

TEST(Moments, AreLoadedOnlyWhereValuesComeToThem) {
  const std::string bytes = saved(moments_of({3, 1'000'000, 70, 12}));
  const auto load = [](std::string_view from) {
    StateReader reader(from);
    const Moments loaded = Moments::load(reader);
    EXPECT_TRUE(!reader.failed() || loaded.count() == 0);
    EXPECT_TRUE(std::isfinite(loaded.mean(kNsPerMillisecond)));
    EXPECT_GE(loaded.stddev(kNsPerMillisecond), 0);
    EXPECT_LE(loaded.stddev(), static_cast<double>(loaded.max()) + 1);
    return !reader.failed();
  };
  EXPECT_TRUE(load(bytes));
  for_each_cut(bytes, [&](std::string_view cut) { EXPECT_FALSE(load(cut)); });
  for_each_damage(bytes, [&](std::string_view damaged) { load(damaged); });
}

TEST(Moments, OfNone) {
  const Moments none;
  EXPECT_EQ(none.count(), 0U);
  EXPECT_EQ(none.min(), kMost);
  EXPECT_EQ(none.max(), 0U);
  EXPECT_EQ(none.mean(), 0);
  EXPECT_EQ(none.stddev(), 0);
}

TEST(Moments, OfOneHasNoDeviation) {
  const Moments one = moments_of({1'500'000});
  EXPECT_EQ(one.mean(kNsPerMillisecond), 1.5);
  EXPECT_EQ(one.stddev(kNsPerMillisecond), 0);
}

TEST(Moments, OfAFew) {
  const Moments few = moments_of({2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_EQ(few.count(), 8U);
  EXPECT_EQ(few.min(), 2U);
  EXPECT_EQ(few.max(), 9U);
  EXPECT_EQ(few.mean(), 5);
  EXPECT_EQ(few.stddev(), std::sqrt(32.0 / 7));
}

TEST(Moments, MeanIsRoundedOnce) {
  // 10^17 + 1 over 3 is not what (double)(10^17 + 1) / 3 gives.
  const Moments moments = moments_of({100'000'000'000'000'001, 0, 0});
  EXPECT_EQ(moments.mean(), 33333333333333333.0 + 1.0 / 3);
  EXPECT_EQ(moments_of({1, 1, 0}).mean(kNsPerMillisecond), 2.0 / 3'000'000);
}

TEST(Moments, SmallDeviationOfLargeValues) {
  // A sum of squares in doubles loses this altogether.
  const Moments moments = moments_of({kMost - 2, kMost - 1, kMost});
  EXPECT_EQ(moments.stddev(), 1);
  EXPECT_EQ(moments.stddev(kNsPerMillisecond), std::sqrt(1e-12));
  EXPECT_EQ(moments_of({kMost, kMost, kMost}).stddev(), 0);
}

TEST(Moments, SumsBeyond64AndSquaresBeyond128Bits) {
  const Moments moments = moments_of({kMost, kMost, kMost, kMost, 0, 0, 0, 0});
  EXPECT_TRUE(moments.sum() == Uint128{kMost} * 4);
  EXPECT_EQ(moments.mean(), 0x1p63);
  // Deviations are all (2^64 - 1) / 2: the variance is 8/7 of its square.
  EXPECT_DOUBLE_EQ(moments.stddev(), 0x1p63 * std::sqrt(8.0 / 7));
}

TEST(Moments, MergeEqualsApplyingEverythingToOne) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 50; ++round) {
    Moments merged;
    std::vector<std::uint64_t> all;
    for (int part = 0; part < 3; ++part) {
      std::vector<std::uint64_t> values(random() % 20);
      for (std::uint64_t& value : values) value = random() >> random() % 64;
      all.insert(all.end(), values.begin(), values.end());
      merged.merge(moments_of(values));
    }
    expect_equal(merged, moments_of(all));
  }
}

ExactSum sum_of(const std::vector<double>& values) {
  ExactSum sum;
  for (const double value : values) sum.apply(value);
  return sum;
}

using Limits = std::numeric_limits<double>;

TEST(ExactSum, OfNoneAndOfZeros) {
  EXPECT_EQ(ExactSum().value(), 0);
  EXPECT_EQ(sum_of({0, 0, -0.0}).value(), 0);
}

TEST(ExactSum, OfOneIsThatOne) {
  std::mt19937_64 random(2);
  const std::vector<double> edges{
      Limits::denorm_min(), Limits::min(), std::nextafter(Limits::min(), 0.0), 1, 0.1, Limits::max()};
  for (const double value : edges) EXPECT_EQ(sum_of({value}).value(), value);
  for (int i = 0; i < 10'000; ++i) {
    const double value =
        std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 2000) - 1074);
    ASSERT_EQ(sum_of({value}).value(), value);
  }
}

TEST(ExactSum, RoundsOnce) {
  EXPECT_EQ(sum_of(std::vector<double>(10, 0.1)).value(), 1);  // a loop of additions gives 0.9999999999999999
  EXPECT_EQ(sum_of({1, 0x1p-53}).value(), 1) << "half to even, down";
  EXPECT_EQ(sum_of({1, 0x1p-53, Limits::denorm_min()}).value(), 1 + Limits::epsilon()) << "above half";
  EXPECT_EQ(sum_of({1 + Limits::epsilon(), 0x1p-53}).value(), 1 + 2 * Limits::epsilon())
      << "half to even, up";
  EXPECT_EQ(sum_of({1e308, 1, 1e-308}).value(), 1e308);
}

TEST(ExactSum, OrderDoesNotMatter) {
  std::mt19937_64 random(3);
  std::vector<double> values(1000);
  for (double& value : values) {
    value = std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 1000) - 500);
  }
  const double sum = sum_of(values).value();
  std::shuffle(values.begin(), values.end(), random);
  EXPECT_EQ(sum_of(values).value(), sum);
}

TEST(ExactSum, EqualsTheSumInWholeNumbers) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 1000; ++round) {
    ExactSum sum;
    Uint128 exact = 0;  // in units of 2^-60
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t term = random() >> 11 << random() % 11;
      exact += term;
      sum.apply(std::ldexp(static_cast<double>(term), -60));
    }
    ASSERT_EQ(sum.value(), std::ldexp(ratio(exact, 1), -60));
  }
}

TEST(ExactSum, Subnormals) {
  EXPECT_EQ(sum_of(std::vector<double>(1000, Limits::denorm_min())).value(), 1000 * Limits::denorm_min());
  EXPECT_EQ(sum_of({std::nextafter(Limits::min(), 0.0), Limits::denorm_min()}).value(), Limits::min());
}

TEST(ExactSum, BeyondTheGreatestDoubleIsInfinite) {
  EXPECT_EQ(sum_of({Limits::max(), Limits::max()}).value(), Limits::infinity());
  EXPECT_EQ(sum_of({Limits::infinity(), 1}).value(), Limits::infinity());
  EXPECT_EQ(sum_of({Limits::max(), 1}).value(), Limits::max());
}

TEST(ExactSum, MergeEqualsApplyingEverythingToOne) {
  std::mt19937_64 random(5);
  ExactSum merged;
  std::vector<double> all;
  for (int part = 0; part < 10; ++part) {
    std::vector<double> values(random() % 100);
    for (double& value : values) {
      value = std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 200) - 100);
    }
    all.insert(all.end(), values.begin(), values.end());
    merged.merge(sum_of(values));
  }
  EXPECT_EQ(merged.value(), sum_of(all).value());
}

}  // namespace
}  // namespace metricsd
