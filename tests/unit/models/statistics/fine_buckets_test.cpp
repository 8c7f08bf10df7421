#include <metricsd/models/statistics/fine_buckets.h>

#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

std::int32_t index_of(double value) {
  return value == 0 ? FineIndex::kZero : FineIndex::table().of(value);
}

double random_value(std::mt19937_64& random) {
  return random() % 50 == 0 ? 0 : std::exp(std::uniform_real_distribution<double>(-20, 15)(random));
}

TEST(FineBuckets, HoldWhatAHistogramHolds) {
  EXPECT_EQ(FineBuckets().histogram(100), ExponentialHistogram(100));
  std::mt19937_64 random(1);
  FineBuckets buckets;
  ExponentialHistogram histogram(limits::kLiveBuckets);
  for (int i = 0; i < 5'000; ++i) {
    const double value = random_value(random);
    buckets.put(index_of(value));
    histogram.apply(value);
  }
  EXPECT_EQ(buckets.histogram(limits::kLiveBuckets), histogram);
}

TEST(FineBuckets, MergingIsCountingAllInOne) {
  std::mt19937_64 random(2);
  FineBuckets a;
  FineBuckets b;
  FineBuckets all;
  for (int i = 0; i < 3'000; ++i) {
    const double value = random_value(random) * (i % 2 == 0 ? 1 : 1e-5);
    (i % 2 == 0 ? a : b).put(index_of(value));
    all.put(index_of(value));
  }
  FineBuckets none;
  a.merge(none);
  a.merge(b);
  none.merge(a);
  EXPECT_EQ(a.histogram(limits::kLiveBuckets), all.histogram(limits::kLiveBuckets));
  EXPECT_EQ(none.histogram(limits::kLiveBuckets), all.histogram(limits::kLiveBuckets));
}

}  // namespace
}  // namespace metricsd
