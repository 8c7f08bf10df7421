// The table against what it stands for: a search among the bounds, and the exponential histogram's index.
#include "metrics/bucket_table.h"

#include <metricsd/models/family.h>
#include <metricsd/models/statistics/exponential_histogram.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::client {
namespace {

// As the hot path looks it up.
std::uint32_t look_up(const BucketTable& table, double value) {
  const std::uint64_t key = BucketTable::key_of(value, table.first_key());
  if (key >= BucketTable::kKeys) return BucketTable::kNoCell;
  const BucketTable::Entry& entry = table.entries()[key];
  if (entry.cell == BucketTable::kNoCell) return table.find(value);
  return entry.cell + static_cast<std::uint32_t>(value > entry.threshold);
}

void expect_true_buckets(const BucketTable& table, const std::vector<double>& bounds, double value) {
  const std::uint32_t cell = look_up(table, value);
  ASSERT_NE(cell, BucketTable::kNoCell) << value;
  ASSERT_LT(cell, table.cells());
  EXPECT_EQ(table.find(value), cell) << value;
  EXPECT_EQ(table.classic(cell), std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin())
      << value;
  EXPECT_EQ(table.exponential(cell), ExponentialHistogram::index_of(value, BucketTable::kScale)) << value;
}

void expect_true_buckets_around(const BucketTable& table, const std::vector<double>& bounds, double value) {
  expect_true_buckets(table, bounds, value);
  expect_true_buckets(table, bounds, std::nextafter(value, 0));
  expect_true_buckets(table, bounds, std::nextafter(value, std::numeric_limits<double>::infinity()));
}

TEST(BucketTable, KnowsTheBucketsOfAnyValueItCovers) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(-20, 20);
  for (int round = 0; round < 50; ++round) {
    std::vector<double> bounds(1 + random() % 40);
    for (double& bound : bounds) bound = std::exp2(exponent(random) / 2);
    // Close together, too: several in one key.
    for (std::size_t i = 1; i < bounds.size(); i += 3) bounds[i] = bounds[i - 1] * (1 + 1e-5);
    std::sort(bounds.begin(), bounds.end());
    bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
    const BucketTable table(bounds);
    for (const double bound : bounds) expect_true_buckets_around(table, bounds, bound);
    for (int i = 0; i < 2000; ++i)
      expect_true_buckets(table, bounds, bounds.front() * std::exp2(exponent(random)));
  }
}

TEST(BucketTable, KnowsEachExponentialBound) {
  const std::vector<double>& bounds = default_duration_bounds();
  const BucketTable table(bounds);
  const int first = ExponentialHistogram::index_of(bounds.front(), BucketTable::kScale);
  for (int index = first - 300; index < first + 500; ++index) {
    expect_true_buckets_around(table, bounds, ExponentialHistogram::lower_bound(index, BucketTable::kScale));
  }
}

TEST(BucketTable, ZeroHasACellOfItsOwn) {
  const std::vector<double> bounds{-1, 0, 1};
  const BucketTable table(bounds);
  EXPECT_EQ(table.find(0.0), BucketTable::kZeroCell);
  EXPECT_EQ(table.find(-0.0), BucketTable::kZeroCell);
  EXPECT_EQ(table.classic(BucketTable::kZeroCell), 1U);
}

TEST(BucketTable, DoesNotCoverWhatIsFarOff) {
  const BucketTable table(default_duration_bounds());
  using Limits = std::numeric_limits<double>;
  for (const double value : {Limits::denorm_min(), Limits::min(), Limits::max(), Limits::infinity(),
                             Limits::quiet_NaN(), -1.0, -Limits::infinity(), 1e-20, 1e20}) {
    EXPECT_EQ(look_up(table, value), BucketTable::kNoCell) << value;
  }
}

TEST(BucketTable, TakesBoundsAtTheEndsOfWhatADoubleHolds) {
  using Limits = std::numeric_limits<double>;
  for (const std::vector<double>& bounds : {std::vector<double>{},
                                            {Limits::denorm_min()},
                                            {Limits::max()},
                                            {-Limits::max(), -1},
                                            {0},
                                            {1e-300, 1e300}}) {
    const BucketTable table(bounds);
    std::uint64_t covered = 0;
    for (int exponent = -1074; exponent < 1024; ++exponent) {
      const double value = std::ldexp(1.5, exponent);
      if (!std::isfinite(value) || look_up(table, value) == BucketTable::kNoCell) continue;
      ++covered;
      expect_true_buckets(table, bounds, value);
    }
    EXPECT_EQ(covered, static_cast<std::uint64_t>(BucketTable::kOctaves));
  }
}

}  // namespace
}  // namespace metricsd::client
