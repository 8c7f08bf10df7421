#include <metricsd/models/registry.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

constexpr std::uint64_t kOne = 1;

FamilySpec named(const std::string& name) {
  FamilySpec spec;
  spec.base_name = name;
  spec.label_names = {"n"};
  return spec;
}

// `a_total{n="1"} 2` and so on, in the order shown.
std::vector<std::string> shown(const Snapshot& snapshot) {
  std::vector<std::string> lines;
  for (const FamilySnapshot& family : snapshot.families) {
    for (const auto& series : std::get<SeriesOf<Scalar>>(family.series)) {
      std::string key(series.key);
      key.pop_back();
      lines.push_back(family.spec->base_name + " " + key + " " +
                      std::to_string(static_cast<int>(series.shape.value)));
    }
  }
  return lines;
}

std::vector<std::string> shown(RegistryCopier& copier) {
  return shown(copier.take().snapshot({}));
}

class RegistryCopierTest : public testing::Test {
 protected:
  void add(const std::string& family, int label, std::int64_t at_ns = 10) {
    registry_.define<Counter>(named(family))
        .value()
        ->at(LabelValues{std::to_string(label)}, {{0}, at_ns})
        .apply(kOne);
  }

  Registry registry_{std::make_shared<Catalog>(1000)};
};

TEST_F(RegistryCopierTest, StepsOfAnySizeCopyTheSame) {
  for (int i = 0; i < 40; ++i) add("a", i);
  registry_.define<Counter>(named("empty")).value();
  for (int i = 0; i < 40; ++i) add("b", i);
  const auto whole = shown(registry_.image().snapshot({}));
  ASSERT_EQ(whole.size(), 80U);
  for (const std::size_t step : {1U, 3U, 40U, 41U, 1000U}) {
    RegistryCopier copier(registry_);
    while (copier.copy(step)) {
    }
    EXPECT_EQ(shown(copier), whole) << step;
  }
}

TEST_F(RegistryCopierTest, AStepIsBounded) {
  for (int i = 0; i < 100; ++i) add("a", i);
  RegistryCopier copier(registry_);
  int steps = 1;
  while (copier.copy(10)) ++steps;
  EXPECT_GE(steps, 10);
}

TEST_F(RegistryCopierTest, ShowsOnceWhatWasThereAllTheTime) {
  for (int i = 0; i < 100; ++i) add("a", i);
  RegistryCopier copier(registry_);
  int next = 100;
  while (copier.copy(5)) {
    add("a", next++);
    add("b", next);
    add("a", 0);  // copied already: as it was
  }
  const auto lines = shown(copier);
  EXPECT_TRUE(std::is_sorted(lines.begin(), lines.end()));
  EXPECT_EQ(std::adjacent_find(lines.begin(), lines.end()), lines.end());
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(std::count(lines.begin(), lines.end(), "a " + std::to_string(i) + " 1"), 1) << i;
  }
}

TEST_F(RegistryCopierTest, WhatGoesAndComesBackBetweenTwoStepsIsThereOnce) {
  for (int i = 0; i < 30; ++i) add("a", i);
  RegistryCopier copier(registry_);
  ASSERT_TRUE(copier.copy(10));
  registry_.forget(registry_.image().take_idle(11), 11);
  for (int i = 29; i >= 0; --i) add("a", i);
  while (copier.copy(10)) {
  }
  const auto lines = shown(copier);
  EXPECT_EQ(lines.size(), 30U);
  EXPECT_EQ(lines, shown(registry_.image().snapshot({})));
}

TEST_F(RegistryCopierTest, TheOrderOutlivesSlotsThatChangeHands) {
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 30; ++i) add("a", round * 7 + (i * 11) % 30, round * 100);
    const auto lines = shown(registry_.image().snapshot({}));
    EXPECT_EQ(lines.size(), registry_.define<Counter>(named("a")).value()->size());
    EXPECT_TRUE(std::is_sorted(lines.begin(), lines.end())) << round;
    registry_.forget(registry_.image().take_idle(round * 100 - 50), round * 100 - 50);
  }
}

TEST(RegistryImage, OfClassicDetailHasNoExponentialBuckets) {
  Registry registry(std::make_shared<Catalog>(10));
  FamilySpec spec = named("h");
  spec.bounds = {1, 2};
  registry.define<Histogram>(spec).value()->at(LabelValues{"x"}, {}).apply(1.5);
  const auto buckets = [&](Detail detail) {
    const Snapshot snapshot = registry.image(detail).snapshot({});
    return std::get<SeriesOf<Buckets>>(snapshot.families.at(0).series).at(0).shape;
  };
  EXPECT_EQ(buckets(Detail::all).exponential.count(), 1u);
  EXPECT_EQ(buckets(Detail::classic).exponential.count(), 0u);
  EXPECT_EQ(buckets(Detail::classic).counts, (std::vector<std::uint64_t>{0, 1, 0}));
}

TEST(RegistryImage, MergesByKeyWhicheverWayTheSeriesAreSpread) {
  const auto catalog = std::make_shared<Catalog>(1000);
  std::vector<Registry> shards;
  for (int i = 0; i < 3; ++i) shards.emplace_back(catalog);
  Registry alone(catalog);
  std::mt19937 random(1);
  for (int i = 0; i < 5000; ++i) {
    const LabelValues labels{std::to_string(random() % 300)};
    for (Registry* registry : {&shards[random() % 3], &alone}) {
      registry->define<Counter>(named("a")).value()->at(labels, {{i}, i}).apply(kOne);
    }
  }
  RegistryImage merged;
  for (const Registry& shard : shards) merged.merge(shard.image());
  EXPECT_EQ(shown(std::move(merged).snapshot({})), shown(alone.image().snapshot({})));
}

}  // namespace
}  // namespace metricsd
