#include "../state/saved.h"

#include <metricsd/models/statistics/exponential_histogram.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

using Histogram = ExponentialHistogram;
using Limits = std::numeric_limits<double>;

double after(double value) {
  return std::nextafter(value, Limits::infinity());
}
double before(double value) {
  return std::nextafter(value, 0.0);
}

// Durations and sizes as they come: spread over many powers of ten.
double random_value(std::mt19937_64& random) {
  return std::exp(std::uniform_real_distribution<double>(-20, 25)(random));
}

Histogram histogram_of(const std::vector<double>& values,
                       std::size_t max_buckets = limits::kExponentialBuckets,
                       int scale = Histogram::kMaxScale) {
  Histogram histogram(max_buckets, scale);
  for (const double value : values) histogram.apply(value);
  return histogram;
}

std::vector<double> random_values(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> values(count);
  for (double& value : values) value = random() % 50 == 0 ? 0 : random_value(random);
  return values;
}

std::vector<Bucket> buckets_of(const Histogram& histogram) {
  std::vector<Bucket> buckets;
  histogram.for_each_bucket([&buckets](std::int32_t index, std::uint64_t count) {
    buckets.push_back({index, count});
  });
  return buckets;
}

TEST(ExponentialHistogram, ABoundBelongsToTheBucketBelowIt) {
  for (int scale = Histogram::kMinScale; scale <= Histogram::kMaxScale; ++scale) {
    for (std::int32_t index = -3000; index <= 3000; ++index) {
      const double bound = Histogram::lower_bound(index, scale);
      if (bound < Limits::min() || std::isinf(bound)) continue;
      ASSERT_EQ(Histogram::index_of(bound, scale), index - 1) << scale;
      ASSERT_EQ(Histogram::index_of(after(bound), scale), index) << scale;
      ASSERT_EQ(Histogram::index_of(before(bound), scale), index - 1) << scale;
    }
  }
}

TEST(ExponentialHistogram, BoundsArePowersOfTheBase) {
  EXPECT_EQ(Histogram::lower_bound(0, 8), 1);
  EXPECT_EQ(Histogram::lower_bound(256, 8), 2);
  EXPECT_EQ(Histogram::lower_bound(-256, 8), 0.5);
  EXPECT_EQ(Histogram::lower_bound(128, 8), std::sqrt(2.0));
  EXPECT_EQ(Histogram::lower_bound(1, 1), std::sqrt(2.0));
  EXPECT_EQ(Histogram::lower_bound(10, 0), 1024);
  EXPECT_EQ(Histogram::lower_bound(1, -10), Limits::infinity());
  EXPECT_EQ(Histogram::lower_bound(-1, -10), std::ldexp(1, -1024));
  EXPECT_EQ(Histogram::lower_bound(std::numeric_limits<std::int32_t>::max(), 8), Limits::infinity());
  EXPECT_EQ(Histogram::lower_bound(std::numeric_limits<std::int32_t>::min(), -10), 0);
}

TEST(ExponentialHistogram, TakesEveryDouble) {
  EXPECT_EQ(Histogram::index_of(Limits::denorm_min(), 8), -1074 * 256 - 1);
  EXPECT_EQ(Histogram::index_of(after(Limits::denorm_min()), 8), -1073 * 256 - 1);
  EXPECT_EQ(Histogram::index_of(Limits::min(), 8), -1022 * 256 - 1);
  EXPECT_EQ(Histogram::index_of(before(Limits::min()), 8), -1022 * 256 - 1);
  EXPECT_EQ(Histogram::index_of(after(Limits::min()), 8), -1022 * 256);
  EXPECT_EQ(Histogram::index_of(Limits::max(), 8), 1024 * 256 - 1);
  EXPECT_EQ(Histogram::index_of(Limits::denorm_min(), -10), -2);
  EXPECT_EQ(Histogram::index_of(1, -10), -1);
  EXPECT_EQ(Histogram::index_of(Limits::max(), -10), 0);
}

TEST(ExponentialHistogram, IndexAgreesWithTheLogarithm) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200'000; ++i) {
    const double value = random_value(random);
    const long double exact = std::log2(static_cast<long double>(value)) * 256;
    if (std::abs(exact - std::round(exact)) < 1e-9L) continue;  // too near a bound for this check
    ASSERT_EQ(Histogram::index_of(value, 8), static_cast<std::int32_t>(std::floor(exact))) << value;
  }
}

TEST(ExponentialHistogram, ZeroHasItsOwnBucket) {
  Histogram histogram;
  histogram.apply(0, 3);
  histogram.apply(-0.0);
  histogram.apply(1, 0);
  EXPECT_EQ(histogram.zero_count(), 4U);
  EXPECT_EQ(histogram.count(), 4U);
  EXPECT_EQ(histogram.bucket_count(), 0U);
  EXPECT_EQ(histogram.quantile(0.5), 0);
}

TEST(ExponentialHistogram, TimesIsApplyingAgainAndAgain) {
  Histogram at_once;
  at_once.apply(1.5, 7);
  EXPECT_EQ(at_once, histogram_of(std::vector<double>(7, 1.5)));
}

TEST(ExponentialHistogram, PuttingIsApplyingWhateverTheHintsSay) {
  for (const std::size_t max_buckets : {std::size_t{2}, std::size_t{160}, std::size_t{5000}}) {
    std::mt19937_64 random(max_buckets);
    Histogram applied(max_buckets);
    Histogram put(max_buckets);
    BucketHints hints;
    for (const double value : random_values(20'000, max_buckets)) {
      if (random() % 100 == 0) hints.position(static_cast<std::int32_t>(random() % 1000)) ^= 0x5A;
      put.put(value == 0 ? FineIndex::kZero : FineIndex::table().of(value), hints);
      applied.apply(value);
    }
    put.add_count(20'000);
    EXPECT_EQ(put, applied);
  }
}

TEST(ExponentialHistogram, IndicesAscendAndCountsAddUp) {
  const Histogram histogram = histogram_of(random_values(10'000, 2));
  const std::vector<Bucket> buckets = buckets_of(histogram);
  ASSERT_EQ(buckets.size(), histogram.bucket_count());
  std::uint64_t total = histogram.zero_count();
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    EXPECT_TRUE(i == 0 || buckets[i - 1].index < buckets[i].index);
    EXPECT_GT(buckets[i].count, 0U);
    total += buckets[i].count;
  }
  EXPECT_EQ(total, histogram.count());
  EXPECT_EQ(total, 10'000U);
}

TEST(ExponentialHistogram, DownscalesOnlyAsFarAsItMust) {
  for (const std::size_t max_buckets : {3UL, 20UL, 160UL}) {
    const std::vector<double> values = random_values(5'000, max_buckets);
    const Histogram histogram = histogram_of(values, max_buckets);
    EXPECT_LE(histogram.bucket_count(), max_buckets);
    ASSERT_LT(histogram.scale(), Histogram::kMaxScale);
    EXPECT_GT(histogram_of(values, 1'000'000, histogram.scale() + 1).bucket_count(), max_buckets);
  }
}

TEST(ExponentialHistogram, KeepsThreeBucketsAtTheLowestScale) {
  const Histogram histogram = histogram_of({Limits::denorm_min(), 1, Limits::max()}, 0);
  EXPECT_EQ(histogram.scale(), Histogram::kMinScale);
  EXPECT_EQ(buckets_of(histogram), (std::vector<Bucket>{{-2, 1}, {-1, 1}, {0, 1}}));
}

TEST(ExponentialHistogram, DownscaleEqualsApplyAtTheLowerScale) {
  const std::vector<double> values = random_values(2'000, 3);
  for (int scale = Histogram::kMaxScale; scale >= Histogram::kMinScale; --scale) {
    Histogram histogram = histogram_of(values, 1'000'000);
    histogram.downscale(Histogram::kMaxScale - scale);
    EXPECT_EQ(histogram, histogram_of(values, 1'000'000, scale)) << scale;
  }
}

TEST(ExponentialHistogram, DownscaleStopsAtTheLowestScale) {
  Histogram histogram = histogram_of({1, 2, 3});
  histogram.downscale(-1);
  EXPECT_EQ(histogram.scale(), Histogram::kMaxScale);
  histogram.downscale(1000);
  EXPECT_EQ(histogram.scale(), Histogram::kMinScale);
  EXPECT_EQ(histogram.count(), 3U);
}

TEST(ExponentialHistogram, MergeEqualsApplyingEverythingToOne) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 100; ++round) {
    const std::size_t max_buckets = 3 + random() % 200;
    Histogram merged(max_buckets);
    std::vector<double> all;
    for (int part = 0; part < 4; ++part) {
      const std::vector<double> values = random_values(random() % 300, random());
      all.insert(all.end(), values.begin(), values.end());
      merged.merge(histogram_of(values, max_buckets));
    }
    ASSERT_EQ(merged, histogram_of(all, max_buckets)) << round;
  }
}

TEST(ExponentialHistogram, MergeTakesTheLowerScale) {
  Histogram fine = histogram_of({1.1, 1.2, 5});
  const Histogram coarse = histogram_of({1.15, 100}, 160, 2);
  fine.merge(coarse);
  EXPECT_EQ(fine, histogram_of({1.1, 1.2, 5, 1.15, 100}, 160, 2));
}

TEST(ExponentialHistogram, MergesWithItself) {
  Histogram histogram = histogram_of({0, 1, 2, 3});
  histogram.merge(histogram);
  EXPECT_EQ(histogram, histogram_of({0, 1, 2, 3, 0, 1, 2, 3}));
}

// What a histogram is to do, in the plainest way there is.
class Reference {
 public:
  explicit Reference(std::size_t max_buckets) : max_buckets_(max_buckets) {}

  void add(std::int32_t fine_index, std::uint64_t times) {
    buckets_[fine_index >> (Histogram::kMaxScale - scale_)] += times;
    shrink();
  }
  void merge(const Reference& other) {
    downscale(scale_ - other.scale_);
    for (const auto& [index, count] : other.buckets_) buckets_[index >> (other.scale_ - scale_)] += count;
    shrink();
  }
  void downscale(int steps) {
    for (; steps > 0 && scale_ > Histogram::kMinScale; --steps) {
      --scale_;
      for (const auto& [index, count] : std::exchange(buckets_, {})) buckets_[index >> 1] += count;
    }
  }
  [[nodiscard]] int scale() const { return scale_; }
  [[nodiscard]] std::vector<Bucket> buckets() const {
    std::vector<Bucket> buckets;
    for (const auto& [index, count] : buckets_) buckets.push_back({index, count});
    return buckets;
  }

 private:
  void shrink() {
    while (buckets_.size() > max_buckets_ && scale_ > Histogram::kMinScale) downscale(1);
  }

  std::size_t max_buckets_;
  int scale_ = Histogram::kMaxScale;
  std::map<std::int32_t, std::uint64_t> buckets_;
};

// A histogram and its reference, to which the same is done.
struct Pair {
  explicit Pair(std::size_t max_buckets) : histogram(max_buckets), reference(max_buckets) {}

  void put_some(std::mt19937_64& random, std::int32_t around, std::int32_t spread, std::uint64_t most) {
    for (std::uint64_t n = random() % 300; n > 0; --n) {
      const std::int32_t index =
          around + static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(spread));
      const std::uint64_t times = random() % 8 == 0 ? 1 + random() % most : 1;
      reference.add(index, times);
      if (times > 1) {
        histogram.add(index, times);
      } else {
        histogram.put(index, hints);
        histogram.add_count(1);
      }
    }
  }

  Histogram histogram;
  Reference reference;
  BucketHints hints;
};

TEST(ExponentialHistogram, IsAMapOfCountsThatIsKeptSmall) {
  std::mt19937_64 random(6);
  for (int round = 0; round < 300; ++round) {
    const std::size_t max_buckets = 1 + random() % 300;
    std::vector<Pair> pairs(3, Pair(max_buckets));
    const auto around = static_cast<std::int32_t>(random() % 400'000) - 200'000;
    for (int step = 0; step < 12; ++step) {
      Pair& pair = pairs[random() % pairs.size()];
      const std::int32_t spread = 1 << (random() % 17);
      switch (random() % 6) {
        case 0: {
          const Pair& other = pairs[random() % pairs.size()];
          pair.histogram.merge(Histogram(other.histogram));
          pair.reference.merge(Reference(other.reference));
          break;
        }
        case 1:
          pair.histogram.downscale(static_cast<int>(random() % 3));
          pair.reference.downscale(pair.reference.scale() - pair.histogram.scale());
          break;
        default: pair.put_some(random, around, spread, std::uint64_t{1} << (random() % 40)); break;
      }
      ASSERT_EQ(pair.histogram.scale(), pair.reference.scale()) << round;
      ASSERT_EQ(buckets_of(pair.histogram), pair.reference.buckets()) << round;
    }
  }
}

// The type 7 percentile of sorted values.
double exact_quantile(const std::vector<double>& sorted, double q) {
  const double h = static_cast<double>(sorted.size() - 1) * q;
  const auto rank = static_cast<std::size_t>(h);
  const double low = sorted[rank];
  const double high = sorted[std::min(rank + 1, sorted.size() - 1)];
  return low + (high - low) * (h - static_cast<double>(rank));
}

TEST(ExponentialHistogram, QuantilesAreWithinTheRelativeErrorOfScale8) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::vector<double> values = random_values(1 + seed * 53, seed);
    const Histogram histogram = histogram_of(values, limits::kLiveBuckets);
    ASSERT_EQ(histogram.scale(), 8);
    std::sort(values.begin(), values.end());
    for (const double q : {0.0, 0.001, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0}) {
      const double exact = exact_quantile(values, q);
      EXPECT_LE(std::abs(histogram.quantile(q) - exact), exact * 0.0014) << q;
    }
  }
}

TEST(ExponentialHistogram, QuantileOfNoneIsZero) {
  EXPECT_EQ(Histogram().quantile(0.5), 0);
}

TEST(ExponentialHistogram, QuantileIsTheHarmonicMidpointOfItsBucket) {
  const Histogram histogram = histogram_of({1.5}, 160, 0);  // 1 < value <= 2
  const double estimate = histogram.quantile(0.5);
  EXPECT_DOUBLE_EQ(estimate, 4.0 / 3);
  EXPECT_DOUBLE_EQ((2 - estimate) / 2, (estimate - 1) / 1);
}

Result<Histogram> load(std::string_view bytes) {
  StateReader reader(bytes);
  Histogram loaded = Histogram::load(reader);
  if (reader.failed()) return Errc::corrupt_state;
  EXPECT_TRUE(reader.at_end());
  return loaded;
}

TEST(ExponentialHistogram, LoadsWhatItSaved) {
  for (const Histogram& histogram : {Histogram(), histogram_of({0, 0}), histogram_of(random_values(5'000, 5)),
                                     histogram_of({Limits::denorm_min(), Limits::max()}, 2)}) {
    const Result<Histogram> loaded = load(saved(histogram));
    ASSERT_TRUE(loaded);
    EXPECT_EQ(*loaded, histogram);
  }
}

TEST(ExponentialHistogram, RefusesCutBytes) {
  for_each_cut(saved(histogram_of({0, 1, 2, 3})),
               [](std::string_view cut) { EXPECT_FALSE(load(cut)) << cut.size(); });
}

// Saved state made by hand.
Result<Histogram> load(std::uint64_t max_buckets, std::uint8_t scale_above_minimum, std::uint64_t zero_count,
                       const std::vector<Bucket>& buckets) {
  std::string bytes;
  StateWriter writer(bytes);
  writer.u64(max_buckets);
  writer.u8(scale_above_minimum);
  writer.u64(zero_count);
  PackedBuckets(buckets).save(writer);
  return load(bytes);
}

TEST(ExponentialHistogram, RefusesStateThatCannotBe) {
  constexpr std::uint8_t kScale8 = 18;
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  EXPECT_TRUE(load(160, kScale8, 1, {{-5, 1}, {7, 2}}));
  EXPECT_TRUE(load(160, kScale8, 0, {{1, kMost}}));
  EXPECT_TRUE(load(160, kScale8, 0, {{-1074 * 256 - 1, 1}, {1024 * 256 - 1, 1}}));

  EXPECT_FALSE(load(160, kScale8 + 1, 0, {{1, 1}})) << "scale";
  EXPECT_FALSE(load(160, 255, 0, {})) << "scale";
  EXPECT_FALSE(load(160, kScale8, 0, {{7, 0}})) << "empty bucket";
  EXPECT_FALSE(load(160, kScale8, 1, {{1, kMost}})) << "overflow";
  EXPECT_FALSE(load(160, kScale8, 0, {{1, kMost}, {2, kMost}})) << "overflow";
  EXPECT_FALSE(load(1, kScale8, 0, {{1, 1}, {2, 1}})) << "more than it holds";
  EXPECT_FALSE(load(kMost, kScale8, 0, {})) << "limit";
  EXPECT_FALSE(load(160, kScale8, 0, {{1024 * 256, 1}})) << "no double is there";
  EXPECT_FALSE(load(160, kScale8, 0, {{-1074 * 256 - 2, 1}})) << "no double is there";
  EXPECT_FALSE(load(160, 0, 0, {{-3, 1}})) << "no double is there";
}

TEST(ExponentialHistogram, SurvivesAnyFlippedByte) {
  for_each_damage(saved(histogram_of({0, 1e-3, 1, 2, 3e7})), [](std::string_view damaged) {
    StateReader reader(damaged);
    Histogram loaded = Histogram::load(reader);
    loaded.apply(4.5);
    loaded.merge(histogram_of({1, 2, 3}, 160, 3));
    EXPECT_TRUE(std::isfinite(loaded.quantile(0.5)));
  });
}

}  // namespace
}  // namespace metricsd
