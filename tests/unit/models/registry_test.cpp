#include <metricsd/models/registry.h>

#include <string>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

constexpr std::uint64_t kOne = 1;

FamilySpec requests() {
  FamilySpec spec;
  spec.base_name = "requests";
  spec.label_names = {"path", "status"};
  spec.kept_label = "status";
  return spec;
}

using Counters = SeriesOf<Scalar>;

const Counters& counters_of(const Snapshot& snapshot, std::size_t family = 0) {
  return std::get<Counters>(snapshot.families.at(family).series);
}

double value_of(const SeriesSnapshot<Scalar>& series) {
  return series.shape.value;
}

TEST(Registry, ShowsWhatWasApplied) {
  Registry registry(std::make_shared<Catalog>(10));
  Family<Counter>& family = *registry.define<Counter>(requests()).value();
  const Moment now{{100}, 5};
  family.at(LabelValues{"/b", "ok"}, now).apply(kOne);
  family.at(LabelValues{"/a", "ok"}, now).apply(kOne);
  family.at(LabelValues{"/b", "ok"}, now).apply(kOne);
  const Snapshot snapshot = registry.image().snapshot({200});
  ASSERT_EQ(snapshot.families.size(), 1u);
  const auto& series = counters_of(snapshot);
  ASSERT_EQ(series.size(), 2u);
  EXPECT_EQ(values_of(series[0].key), (LabelValues{"/a", "ok"}));
  EXPECT_EQ(value_of(series[1]), 2);
  EXPECT_EQ(series[1].created, Timestamp{100});
  EXPECT_EQ(snapshot.taken, Timestamp{200});
}

TEST(Registry, FoldsWhatIsTooManyIntoOneSeriesThatKeepsItsStatus) {
  const auto catalog = std::make_shared<Catalog>(3);
  Registry registry(catalog);
  Family<Counter>& family = *registry.define<Counter>(requests()).value();
  for (int i = 0; i < 100; ++i) {
    family.at(LabelValues{"/" + std::to_string(i), i % 2 == 0 ? "ok" : "failed"}, {}).apply(kOne);
  }
  const Snapshot snapshot = registry.image().snapshot({});
  ASSERT_EQ(counters_of(snapshot).size(), 5u);
  double total = 0;
  for (const auto& series : counters_of(snapshot)) total += value_of(series);
  EXPECT_EQ(total, 100);
  const auto reports = catalog->overflows();
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].refused, 97u);
}

TEST(Registry, FindsWhatIsThereAndMakesNothing) {
  const auto catalog = std::make_shared<Catalog>(1);
  Registry registry(catalog);
  Family<Counter>& family = *registry.define<Counter>(requests()).value();
  const std::vector<std::string_view> known{"/", "ok"};
  const std::vector<std::string_view> refused{"/more", "ok"};
  Counter& first = family.at(known, {});
  EXPECT_EQ(family.find(known), &first);
  EXPECT_EQ(family.find(refused), nullptr);
  EXPECT_EQ(family.find_overflow(refused), nullptr);
  EXPECT_TRUE(catalog->overflows().empty());
  Counter& overflow = family.at(refused, {});
  EXPECT_EQ(family.find_overflow(refused), &overflow);
  EXPECT_EQ(family.find(refused), nullptr);
}

TEST(Registry, TakesOverWhatIsNotNeededAnyMore) {
  const auto catalog = std::make_shared<Catalog>(10);
  Registry a(catalog), b(catalog);
  RegistryImage all;
  FamilySpec only_b;
  only_b.base_name = "only_b";
  a.define<Counter>(requests()).value()->at(LabelValues{"/", "ok"}, {}).apply(kOne);
  b.define<Counter>(requests()).value()->at(LabelValues{"/", "ok"}, {}).apply(kOne);
  b.define<Counter>(only_b).value()->at(LabelValues{}, {}).apply(kOne);
  all.merge(a.image());
  all.merge(b.image());
  const Snapshot snapshot = std::move(all).snapshot({});
  ASSERT_EQ(snapshot.families.size(), 2u);
  EXPECT_EQ(value_of(counters_of(snapshot)[0]), 1);
  EXPECT_EQ(value_of(counters_of(snapshot, 1)[0]), 2);
}

TEST(Registry, KeepsTheCapOverShards) {
  const auto catalog = std::make_shared<Catalog>(3);
  Registry a(catalog), b(catalog);
  for (int i = 0; i < 3; ++i)
    a.define<Counter>(requests()).value()->at(LabelValues{std::to_string(i), "ok"}, {}).apply(kOne);
  for (int i = 0; i < 6; ++i)
    b.define<Counter>(requests()).value()->at(LabelValues{std::to_string(i), "ok"}, {}).apply(kOne);
  RegistryImage all = a.image();
  all.merge(b.image());
  const Snapshot snapshot = std::move(all).snapshot({});
  ASSERT_EQ(counters_of(snapshot).size(), 4u);
  EXPECT_EQ(value_of(counters_of(snapshot)[0]), 2);
  EXPECT_EQ(values_of(counters_of(snapshot)[3].key), (LabelValues{"__overflow__", "ok"}));
  EXPECT_EQ(value_of(counters_of(snapshot)[3]), 3);
}

TEST(Registry, AnImageStandsStill) {
  Registry registry(std::make_shared<Catalog>(3));
  Family<Counter>& family = *registry.define<Counter>(requests()).value();
  family.at(LabelValues{"/", "ok"}, {}).apply(kOne);
  RegistryImage image = registry.image();
  family.at(LabelValues{"/", "ok"}, {}).apply(kOne);
  EXPECT_EQ(value_of(counters_of(std::move(image).snapshot({}))[0]), 1);
}

TEST(Registry, LetsDeadSeriesGoAndNewOnesIn) {
  Registry registry(std::make_shared<Catalog>(1));
  Family<Counter>& family = *registry.define<Counter>(requests()).value();
  family.at(LabelValues{"/old", "ok"}, {{0}, 10}).apply(kOne);
  registry.forget(registry.image().take_idle(10), 10);
  EXPECT_EQ(family.size(), 1u);
  registry.forget(registry.image().take_idle(11), 11);
  EXPECT_EQ(family.size(), 0u);
  family.at(LabelValues{"/new", "ok"}, {{0}, 20}).apply(kOne);
  const Snapshot snapshot = registry.image().snapshot({});
  EXPECT_EQ(values_of(counters_of(snapshot)[0].key), (LabelValues{"/new", "ok"}));
}

TEST(Registry, ASeriesThatIsKeptHoldsUntilTheGenerationGrows) {
  const auto catalog = std::make_shared<Catalog>(100);
  Registry registry(catalog);
  Family<Counter>& family = *registry.define<Counter>(requests()).value();
  const std::vector<std::string_view> values{"/kept", "ok"};
  const SeriesHandle<Counter> kept = family.series_at(values, {{0}, 10});
  const std::uint64_t generation = family.generation();
  for (int i = 0; i < 200; ++i) family.at(LabelValues{std::to_string(i), "ok"}, {{0}, 10}).apply(kOne);
  EXPECT_EQ(family.series_at(values, {{0}, 10}).series, kept.series);
  EXPECT_EQ(family.generation(), generation);
  registry.forget(registry.image().take_idle(10), 10);
  EXPECT_EQ(family.generation(), generation);

  family.touch(kept, {{0}, 20});
  registry.forget(registry.image().take_idle(15), 15);
  EXPECT_NE(family.generation(), generation);
  EXPECT_EQ(family.find(values), &kept->state);
  EXPECT_EQ(family.size(), 1u);
}

TEST(Registry, AnOverflowSeriesSaysThatItIsOne) {
  Registry registry(std::make_shared<Catalog>(1));
  Family<Counter>& family = *registry.define<Counter>(requests()).value();
  const std::vector<std::string_view> first{"/", "ok"};
  const std::vector<std::string_view> refused{"/more", "ok"};
  EXPECT_FALSE(family.series_at(first, {})->is_overflow());
  EXPECT_TRUE(family.series_at(refused, {})->is_overflow());
}

TEST(Registry, KeepsWhatIsAliveInAnotherShard) {
  const auto catalog = std::make_shared<Catalog>(10);
  Registry a(catalog), b(catalog);
  a.define<Counter>(requests()).value()->at(LabelValues{"/", "ok"}, {{0}, 10}).apply(kOne);
  b.define<Counter>(requests()).value()->at(LabelValues{"/", "ok"}, {{0}, 30}).apply(kOne);
  RegistryImage all = a.image();
  all.merge(b.image());
  EXPECT_TRUE(all.take_idle(20).empty());
  EXPECT_FALSE(a.image().take_idle(20).empty());
  SeriesKeys idle = all.take_idle(40);
  b.define<Counter>(requests()).value()->at(LabelValues{"/", "ok"}, {{0}, 50}).apply(kOne);  // meanwhile
  for (Registry* registry : {&a, &b}) registry->strike_touched(idle, 40);
  for (Registry* registry : {&a, &b}) registry->forget(idle, 40);
  EXPECT_EQ(counters_of(a.image().snapshot({})).size(), 1u);
  EXPECT_EQ(counters_of(b.image().snapshot({})).size(), 1u);
}

TEST(Registry, KeepsAGaugeWhoseOwnerIsThere) {
  Registry registry(std::make_shared<Catalog>(10));
  FamilySpec spec;
  spec.base_name = "users";
  Gauge& users = registry.define<Gauge>(spec).value()->at(LabelValues{}, {{0}, 10});
  users.apply(7, 3, 10);
  EXPECT_TRUE(registry.image().take_idle(100).empty());
  users.forget(7);
  EXPECT_FALSE(registry.image().take_idle(100).empty());
}

TEST(Registry, RefusesAConflictWhicheverShardDefinedFirst) {
  const auto catalog = std::make_shared<Catalog>(10);
  Registry a(catalog), b(catalog);
  ASSERT_TRUE(a.define<Counter>(requests()));
  EXPECT_TRUE(b.define<Counter>(requests()));
  FamilySpec other = requests();
  other.label_names = {"path"};
  EXPECT_EQ(b.define<Counter>(other).error(), Errc::conflicting_definition);
}

}  // namespace
}  // namespace metricsd
