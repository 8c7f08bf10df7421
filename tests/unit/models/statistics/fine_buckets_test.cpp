#include "../state/saved.h"

#include <metricsd/models/statistics/fine_buckets.h>

#include <cmath>
#include <random>
#include <string>
#include <string_view>

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

ExponentialHistogram histogram_of(const FineBuckets& buckets) {
  return buckets.histogram(limits::kLiveBuckets);
}

TEST(FineBuckets, LoadWhatTheySaved) {
  std::mt19937_64 random(3);
  FineBuckets buckets;
  for (int i = 0; i < 5'000; ++i) buckets.put(index_of(random_value(random)));
  for (const FineBuckets& each : {FineBuckets(), buckets}) {
    const std::string bytes = saved(each);
    StateReader reader(bytes);
    EXPECT_EQ(histogram_of(FineBuckets::load(reader)), histogram_of(each));
    EXPECT_TRUE(reader.at_end() && !reader.failed());
  }
}

TEST(FineBuckets, SurviveWhatIsNotTheirs) {
  FineBuckets buckets;
  for (const double value : {0.0, 1e-9, 0.5, 0.5, 7.0, 1e6}) buckets.put(index_of(value));
  const std::string bytes = saved(buckets);
  for_each_cut(bytes, [](std::string_view cut) {
    StateReader reader(cut);
    (void)FineBuckets::load(reader);
    EXPECT_TRUE(reader.failed());
  });
  for_each_damage(bytes, [&](std::string_view damaged) {
    StateReader reader(damaged);
    FineBuckets loaded = FineBuckets::load(reader);
    loaded.put(index_of(3));
    loaded.merge(buckets);
    EXPECT_TRUE(std::isfinite(histogram_of(loaded).quantile(0.5)));
  });
}

// Two values far apart would take megabytes, from twenty bytes.
TEST(FineBuckets, AreNotLoadedFurtherApartThanTheyMayBe) {
  FineBuckets buckets;
  for (const double value : {1e-100, 1e100}) buckets.put(index_of(value));
  const std::string bytes = saved(buckets);
  StateReader reader(bytes);
  (void)FineBuckets::load(reader);
  EXPECT_TRUE(reader.failed());
}

}  // namespace
}  // namespace metricsd
