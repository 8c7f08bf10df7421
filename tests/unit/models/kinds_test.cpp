#include <metricsd/models/kinds/kinds.h>
#include <metricsd/models/limits.h>

#include <limits>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

std::shared_ptr<const FamilySpec> spec_of(Kind kind, std::vector<double> bounds = {},
                                          Merge merge = Merge::sum) {
  FamilySpec spec;
  spec.base_name = "x";
  spec.kind = kind;
  spec.bounds = std::move(bounds);
  spec.merge = merge;
  return std::make_shared<const FamilySpec>(std::move(spec));
}

template <class K>
std::string saved(const K& state) {
  std::string bytes;
  ByteWriter writer(bytes);
  state.save(writer);
  return bytes;
}

// Every cut and every flipped byte of saved state is either refused or loaded as something consistent.
template <class K>
void expect_load_survives_damage(const K& state, const std::shared_ptr<const FamilySpec>& spec) {
  const std::string bytes = saved(state);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    K loaded(spec);
    ByteReader reader(std::string_view(bytes).substr(0, size));
    EXPECT_FALSE(loaded.load(reader)) << size;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0xA5);
    K loaded(spec);
    ByteReader reader(damaged);
    if (loaded.load(reader)) (void)loaded.show();
  }
}

double scalar(const std::optional<Shape>& shape) {
  return std::get<Scalar>(shape.value()).value;
}

TEST(CounterKind, CountsBeyondWhatADoubleCanStepThrough) {
  Counter counter(spec_of(Kind::counter));
  counter.apply(std::uint64_t{1} << 53);
  counter.apply(std::uint64_t{1});
  counter.apply(std::uint64_t{1});
  EXPECT_EQ(counter.value(), 9007199254740994.0);
}

TEST(CounterKind, AddsFractions) {
  Counter counter(spec_of(Kind::counter));
  for (int i = 0; i < 10; ++i) counter.apply(0.25);
  EXPECT_EQ(counter.value(), 2.5);
}

TEST(CounterKind, SaturatesInsteadOfFalling) {
  Counter counter(spec_of(Kind::counter));
  counter.apply(1e300);
  counter.apply(std::uint64_t{5});
  EXPECT_EQ(counter.value(), 18446744073709551616.0);
}

TEST(CounterKind, MergesAndReloads) {
  const auto spec = spec_of(Kind::counter);
  Counter a(spec), b(spec), c(spec);
  a.apply(1.75);
  b.apply(2.5);
  a.merge(b);
  EXPECT_EQ(a.value(), 4.25);
  const std::string bytes = saved(a);
  ByteReader reader(bytes);
  ASSERT_TRUE(c.load(reader));
  EXPECT_TRUE(reader.at_end());
  EXPECT_EQ(c.value(), 4.25);
  expect_load_survives_damage(a, spec);
}

TEST(GaugeKind, ShowsTheSumOfItsOwners) {
  Gauge gauge(spec_of(Kind::gauge));
  gauge.apply(2, 5, 0);
  gauge.apply(1, 3, 0);
  gauge.apply(2, 7, 0);
  EXPECT_EQ(scalar(gauge.show()), 10);
  gauge.forget(2);
  EXPECT_EQ(scalar(gauge.show()), 3);
  gauge.forget(1);
  EXPECT_EQ(scalar(gauge.show()), 0);
}

TEST(GaugeKind, ShowsExtremesAndTheLatest) {
  const auto show = [](Merge merge) {
    const auto spec = spec_of(Kind::gauge, {}, merge);
    Gauge gauge(spec), other(spec);
    gauge.apply(1, 5, 30);
    other.apply(2, -3, 10);
    other.apply(3, 8, 20);
    gauge.merge(other);
    return scalar(gauge.show());
  };
  EXPECT_EQ(show(Merge::min), -3);
  EXPECT_EQ(show(Merge::max), 8);
  EXPECT_EQ(show(Merge::last), 5);
  EXPECT_EQ(show(Merge::sum), 10);
}

TEST(GaugeKind, ShowsNothingOfNobodyUnlessItIsASum) {
  Gauge gauge(spec_of(Kind::gauge, {}, Merge::last));
  gauge.apply(1, 5, 0);
  gauge.forget(1);
  EXPECT_FALSE(gauge.show());
}

TEST(HistogramKind, CountsAValueOnABoundInThatBucket) {
  Histogram histogram(spec_of(Kind::histogram, {0.1, 1, 10}));
  for (const double value : {0.0, 0.1, 0.100001, 1.0, 10.0, 10.1, 1e9}) histogram.apply(value);
  const auto buckets = std::get<Buckets>(histogram.show().value());
  EXPECT_EQ(buckets.counts, (std::vector<std::uint64_t>{2, 2, 1, 2}));
  EXPECT_EQ(buckets.count, 7u);
  EXPECT_EQ(buckets.exponential.count(), 7u);
}

TEST(HistogramKind, ACopyWithoutExponentialBucketsHasAllElse) {
  Histogram histogram(spec_of(Kind::histogram, {1, 2}));
  for (const double value : {0.5, 1.5, 0.1, 99.0}) histogram.apply(value);
  const auto all = std::get<Buckets>(histogram.show().value());
  const auto classic = std::get<Buckets>(histogram.without_exponential().show().value());
  EXPECT_EQ(classic.bounds, all.bounds);
  EXPECT_EQ(classic.counts, all.counts);
  EXPECT_EQ(classic.count, all.count);
  EXPECT_EQ(classic.sum, all.sum);
  EXPECT_EQ(classic.exponential.count(), 0u);
}

TEST(HistogramKind, SumsManySmallValuesExactlyEnough) {
  Histogram histogram(spec_of(Kind::histogram, {1}));
  histogram.apply(1e9);
  for (int i = 0; i < 1'000'000; ++i) histogram.apply(1e-9);
  EXPECT_DOUBLE_EQ(std::get<Buckets>(histogram.show().value()).sum, 1e9 + 1e-3);
}

TEST(HistogramKind, ItsSumNeverBecomesNaN) {
  Histogram histogram(spec_of(Kind::histogram, {1}));
  for (int i = 0; i < 3; ++i) histogram.apply(std::numeric_limits<double>::max());
  EXPECT_EQ(std::get<Buckets>(histogram.show().value()).sum, std::numeric_limits<double>::max());
}

TEST(HistogramKind, TakesWhatWasCountedElsewhere) {
  const auto spec = std::make_shared<const FamilySpec>(
      FamilySpec{.base_name = "h", .kind = Kind::histogram, .bounds = {1, 2}});
  Histogram counted(spec);
  for (const double value : {0.0, 0.5, 1.0, 1.5, 7.0}) counted.apply(value);
  const Buckets shown = std::get<Buckets>(*counted.show());
  HistogramDelta delta{shown.sum, shown.counts, shown.exponential};
  Histogram told(spec);
  told.apply(3);
  ASSERT_TRUE(delta.fits(2));
  ASSERT_TRUE(told.apply(delta));
  counted.apply(3);
  const Buckets expected = std::get<Buckets>(*counted.show());
  const Buckets got = std::get<Buckets>(*told.show());
  EXPECT_EQ(got.counts, expected.counts);
  EXPECT_EQ(got.count, 6U);
  EXPECT_EQ(got.sum, expected.sum);
  EXPECT_EQ(got.exponential, expected.exponential);
}

TEST(HistogramKind, KnowsADeltaThatCannotBeOne) {
  ExponentialHistogram three;
  three.apply(1.5, 3);
  EXPECT_TRUE((HistogramDelta{4.5, {0, 3}, three}.fits(1)));
  EXPECT_FALSE((HistogramDelta{4.5, {0, 3}, three}.fits(2)));
  EXPECT_FALSE((HistogramDelta{4.5, {1, 3}, three}.fits(1)));
  EXPECT_FALSE((HistogramDelta{4.5, {0, 2}, three}.fits(1)));
  EXPECT_FALSE((HistogramDelta{-1, {0, 3}, three}.fits(1)));
  EXPECT_FALSE((HistogramDelta{std::numeric_limits<double>::infinity(), {0, 3}, three}.fits(1)));
}

TEST(HistogramKind, RefusesADeltaThatWouldMakeItTooMany) {
  const auto spec = std::make_shared<const FamilySpec>(FamilySpec{.base_name = "h", .kind = Kind::histogram});
  ExponentialHistogram all;
  all.apply(1, limits::kWhole);
  const HistogramDelta delta{1, {limits::kWhole}, all};
  Histogram histogram(spec);
  EXPECT_TRUE(histogram.apply(delta));
  EXPECT_FALSE(histogram.apply(delta));
  EXPECT_EQ(std::get<Buckets>(*histogram.show()).count, limits::kWhole);
}

TEST(HistogramKind, MergesAndReloads) {
  const auto spec = spec_of(Kind::histogram, {1, 2});
  Histogram a(spec), b(spec), c(spec);
  a.apply(0.5);
  b.apply(1.5);
  b.apply(99);
  a.merge(b);
  const std::string bytes = saved(a);
  ByteReader reader(bytes);
  ASSERT_TRUE(c.load(reader));
  EXPECT_TRUE(reader.at_end());
  const auto buckets = std::get<Buckets>(c.show().value());
  EXPECT_EQ(buckets.counts, (std::vector<std::uint64_t>{1, 1, 1}));
  EXPECT_EQ(buckets.count, 3u);
  EXPECT_EQ(buckets.sum, 101);
  expect_load_survives_damage(a, spec);
}

TEST(HistogramKind, ChangedBoundsRestartIt) {
  Histogram before(spec_of(Kind::histogram, {1, 2}));
  before.apply(1);
  const std::string bytes = saved(before);
  ByteReader reader(bytes);
  Histogram after(spec_of(Kind::histogram, {1, 2, 3}));
  ASSERT_TRUE(after.load(reader));
  EXPECT_TRUE(reader.at_end());
  EXPECT_EQ(std::get<Buckets>(after.show().value()).count, 0u);
}

}  // namespace
}  // namespace metricsd
