#include "state/saved.h"

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

// Becomes what the bytes say, all of them. False where they cannot be.
template <class K>
bool load(K& state, std::string_view bytes) {
  StateReader reader(bytes);
  state.load(reader);
  return !reader.failed() && reader.at_end();
}

// Loading into what holds something else gives the same, to the last bit; every cut is refused, and every
// flipped byte is refused or gives something consistent.
template <class K>
void expect_loads(const K& state, K other, const std::shared_ptr<const FamilySpec>& spec) {
  const std::string bytes = saved(state);
  ASSERT_TRUE(load(other, bytes));
  EXPECT_EQ(saved(other), bytes);
  for_each_cut(bytes, [&](std::string_view cut) {
    K loaded(spec);
    EXPECT_FALSE(load(loaded, cut)) << cut.size();
  });
  for_each_damage(bytes, [&](std::string_view damaged) {
    K loaded(spec);
    if (!load(loaded, damaged)) return;
    (void)loaded.show();
    loaded.merge(state);
    (void)loaded.show();
  });
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
  c.apply(9.125);
  expect_loads(a, c, spec);
  Counter most(spec);
  most.apply(1e300);
  most.apply(0.1);
  expect_loads(most, c, spec);
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

TEST(GaugeKind, ReloadsItsOwners) {
  for (const Merge merge : {Merge::sum, Merge::min, Merge::max, Merge::last}) {
    const auto spec = spec_of(Kind::gauge, {}, merge);
    Gauge gauge(spec), other(spec);
    gauge.apply(1, -5.5, 30);
    gauge.apply(700, 0.1, 20);
    gauge.apply(9, 7, -3);
    other.apply(2, 1, 1);
    expect_loads(gauge, other, spec);
    expect_loads(Gauge(spec), other, spec);
    ASSERT_TRUE(load(other, saved(gauge)));
    EXPECT_EQ(scalar(other.show()), scalar(gauge.show()));
    EXPECT_TRUE(other.forget(700));
    EXPECT_FALSE(other.forget(2));
  }
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

TEST(HistogramKind, ASumOfNoValuesIsShownWhenTheyCome) {
  const auto spec = spec_of(Kind::histogram, {1});
  Histogram histogram(spec), loaded(spec);
  ASSERT_TRUE(histogram.apply(HistogramDelta{1.5, {0, 0}, ExponentialHistogram()}));
  EXPECT_EQ(std::get<Buckets>(histogram.show().value()).sum, 0);
  ASSERT_TRUE(load(loaded, saved(histogram)));
  ExponentialHistogram one;
  one.apply(1.5);
  ASSERT_TRUE(loaded.apply(HistogramDelta{0, {0, 1}, one}));
  EXPECT_EQ(std::get<Buckets>(loaded.show().value()).sum, 1.5);
}

TEST(HistogramKind, WhatRoundingLostOfTheGreatestSumIsNotAdded) {
  constexpr double kGreatest = std::numeric_limits<double>::max();
  const auto spec = spec_of(Kind::histogram, {1});
  Histogram histogram(spec), loaded(spec);
  for (int i = 0; i < 3; ++i) histogram.apply(kGreatest);
  for (int i = 0; i < 100; ++i) histogram.apply(kGreatest / 1e16);
  EXPECT_EQ(std::get<Buckets>(histogram.show().value()).sum, kGreatest);
  EXPECT_TRUE(load(loaded, saved(histogram))) << "whatever peers tell is saved so that it can be loaded";
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
  c.apply(7);
  expect_loads(a, c, spec);
  expect_loads(Histogram(spec), c, spec);
  ASSERT_TRUE(load(c, saved(a)));
  const auto buckets = std::get<Buckets>(c.show().value());
  EXPECT_EQ(buckets.counts, (std::vector<std::uint64_t>{1, 1, 1}));
  EXPECT_EQ(buckets.count, 3u);
  EXPECT_EQ(buckets.sum, 101);
}

TEST(HistogramKind, ReloadsWhatRoundingLost) {
  const auto spec = spec_of(Kind::histogram, {1});
  Histogram histogram(spec);
  for (int i = 1; i < 5000; ++i) histogram.apply(i % 7 == 0 ? 1e9 / i : 0.1 / i);
  Histogram loaded(spec);
  ASSERT_TRUE(load(loaded, saved(histogram)));
  for (Histogram* each : {&histogram, &loaded}) each->apply(0.1);
  EXPECT_EQ(saved(loaded), saved(histogram));
}

}  // namespace
}  // namespace metricsd
