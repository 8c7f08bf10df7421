#include "state/saved.h"

#include <metricsd/models/limits.h>
#include <metricsd/models/registry.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

constexpr std::uint64_t kOne = 1;
constexpr std::size_t kNoCap = 1'000'000;

FamilySpec requests() {
  FamilySpec spec;
  spec.base_name = "requests";
  spec.help = "All of them.";
  spec.label_names = {"path", "status"};
  spec.kept_label = "status";
  return spec;
}

FamilySpec gauge(const std::string& name, Merge merge) {
  FamilySpec spec;
  spec.base_name = name;
  spec.kind = Kind::gauge;
  spec.label_names = {"queue"};
  spec.merge = merge;
  return spec;
}

FamilySpec latency(std::vector<double> bounds = default_duration_bounds()) {
  FamilySpec spec;
  spec.base_name = "latency";
  spec.unit = "seconds";
  spec.kind = Kind::histogram;
  spec.label_names = {"path"};
  spec.bounds = std::move(bounds);
  return spec;
}

std::string bits_of(double value) {
  return std::to_string(value) + "/" + std::to_string(std::bit_cast<std::uint64_t>(value));
}

void describe(std::ostream& out, const Scalar& scalar) {
  out << bits_of(scalar.value);
}

void describe(std::ostream& out, const Buckets& buckets) {
  for (const std::uint64_t count : buckets.counts) out << count << ' ';
  out << buckets.count << ' ' << bits_of(buckets.sum) << ' ' << buckets.exponential.scale() << ' '
      << buckets.exponential.zero_count();
  buckets.exponential.for_each_bucket(
      [&](std::int32_t index, std::uint64_t count) { out << ' ' << index << ':' << count; });
}

void describe(std::ostream&, const auto&) {}

// Every figure a registry shows, to the last bit, in the order shown.
std::vector<std::string> figures(const Registry& registry) {
  RegistryImage image = registry.image();
  std::vector<std::string> lines;
  if (image.refused() > 0) lines.push_back("refused " + std::to_string(image.refused()));
  const Snapshot snapshot = std::move(image).snapshot({});
  for (const FamilySnapshot& family : snapshot.families) {
    lines.push_back(exposition_name(*family.spec) + " " + family.spec->help);
    std::visit(
        [&](const auto& list) {
          for (const auto& series : list) {
            std::ostringstream line;
            for (const std::string& value : values_of(series.key)) line << value << ',';
            line << ' ' << series.created.ns << ' ';
            describe(line, series.shape);
            lines.push_back(line.str());
          }
        },
        family.series);
  }
  return lines;
}

std::string saved_whole(Registry& registry, const Moment& now) {
  std::string bytes;
  StateWriter writer(bytes);
  registry.save_all(writer, now);
  return bytes;
}

std::string saved_changes(Registry& registry, const Moment& now) {
  std::string bytes;
  StateWriter writer(bytes);
  registry.save_changed(writer, now);
  return bytes;
}

Result<LoadReport> load(Registry& registry, std::string_view bytes, const Moment& now) {
  StateReader reader(bytes);
  auto report = registry.load(reader, now);
  EXPECT_TRUE(!report || reader.at_end());
  return report;
}

// A registry, and what tells of it as a daemon is told.
class Workload {
 public:
  explicit Workload(const std::shared_ptr<Catalog>& catalog = std::make_shared<Catalog>(kNoCap))
      : registry(catalog),
        requests_(*registry.define<Counter>(requests()).value()),
        users_(*registry.define<Gauge>(gauge("users", Merge::sum)).value()),
        depth_(*registry.define<Gauge>(gauge("depth", Merge::last)).value()),
        latency_(*registry.define<Histogram>(latency(), Room::common).value()) {}

  void tell(std::size_t times, const Moment& now) {
    for (std::size_t i = 0; i < times; ++i) tell(now);
  }

  void tell(const Moment& now) {
    const std::string name = std::to_string(random_() % 40);
    switch (random_() % 8) {
      case 0: requests_.at(LabelValues{name, "ok"}, now).apply(random_() % 1000); return;
      case 1: requests_.at(LabelValues{name, "failed"}, now).apply(0.1); return;
      case 2: users_.at(LabelValues{name}, now).apply(random_() % 5, 0.1, now.monotonic_ns); return;
      case 3: depth_.at(LabelValues{name}, now).apply(random_() % 5, -7.5, now.monotonic_ns); return;
      case 4: close(random_() % 5); return;
      default: observe(latency_.at(LabelValues{name}, now)); return;
    }
  }

  // Lets those go that were not told of since.
  void expire(std::int64_t before_ns) { registry.forget(registry.image().take_idle(before_ns), before_ns); }

  Registry registry;

 private:
  void close(Gauge::Owner owner) {
    for (Family<Gauge>* family : {&users_, &depth_}) {
      family->change_each([&](Gauge& gauge) { return gauge.forget(owner); });
    }
  }

  void observe(Histogram& histogram) {
    histogram.apply(random_() % 20 == 0 ? 0 : std::exp(static_cast<double>(random_() % 20) - 12));
  }

  std::mt19937_64 random_{1};
  Family<Counter>& requests_;
  Family<Gauge>& users_;
  Family<Gauge>& depth_;
  Family<Histogram>& latency_;
};

TEST(RegistryState, AWholeOneIsLoadedEqual) {
  Workload workload(std::make_shared<Catalog>(30));  // some fold into overflow series
  (void)workload.registry.define<Counter>(
      {.base_name = "nothing_yet", .help = "No series.", .kind = Kind::counter});
  workload.tell(2000, {{100}, 5});
  workload.tell(100, {{90}, 7});  // the wall clock was set back
  const Moment now{{200}, 9};
  const std::string bytes = saved_whole(workload.registry, now);

  Registry copy(std::make_shared<Catalog>(30));
  const auto report = load(copy, bytes, now);
  ASSERT_TRUE(report);
  EXPECT_EQ(figures(copy), figures(workload.registry));
  EXPECT_GT(report->series, 90U);
  EXPECT_EQ(report->no_room + report->gone + report->conflicting, 0U);
  EXPECT_EQ(saved_whole(copy, now), bytes) << "what is not shown is equal too";
}

TEST(RegistryState, ChangesKeepACopyInStep) {
  Workload workload;
  Registry copy(std::make_shared<Catalog>(kNoCap));
  std::mt19937_64 random(2);
  for (std::int64_t round = 1; round < 120; ++round) {
    const Moment now{{1000 * round}, 10 * round};
    workload.tell(random() % 60, now);
    if (random() % 4 == 0) workload.expire(10 * (round - 3));
    if (random() % 2 == 0) continue;
    ASSERT_TRUE(load(copy, saved_changes(workload.registry, now), now));
    ASSERT_EQ(figures(copy), figures(workload.registry)) << round;
  }
}

TEST(RegistryState, OnlyWhatChangedIsSaved) {
  Workload workload;
  workload.tell(5000, {});
  const std::string whole = saved_whole(workload.registry, {});
  const std::size_t nothing = saved_changes(workload.registry, {}).size();
  EXPECT_LE(nothing, 2U);
  Family<Counter>& family = *workload.registry.define<Counter>(requests()).value();
  family.at(LabelValues{"/", "ok"}, {}).apply(kOne);
  const std::string one = saved_changes(workload.registry, {});
  EXPECT_LT(one.size(), 120U);
  EXPECT_GT(whole.size(), 50 * one.size());
  EXPECT_EQ(saved_changes(workload.registry, {}).size(), nothing);
}

TEST(RegistryState, AFamilyIsSavedWithoutSeries) {
  Registry registry(std::make_shared<Catalog>(10));
  Registry copy(std::make_shared<Catalog>(10));
  ASSERT_TRUE(load(copy, saved_whole(registry, {}), {}));
  (void)registry.define<Counter>(requests());
  ASSERT_TRUE(load(copy, saved_changes(registry, {}), {}));
  EXPECT_EQ(figures(copy), (std::vector<std::string>{"requests_total All of them."}));
}

TEST(RegistryState, AKeptSeriesIsSavedWhenItIsTouched) {
  Registry registry(std::make_shared<Catalog>(10));
  Registry copy(std::make_shared<Catalog>(10));
  Family<Counter>& family = *registry.define<Counter>(requests()).value();
  const std::vector<std::string_view> values{"/", "ok"};
  const SeriesHandle<Counter> kept = family.series_at(values, {});
  ASSERT_TRUE(load(copy, saved_whole(registry, {}), {}));
  kept->state.apply(kOne);
  family.touch(kept, {});
  const auto report = load(copy, saved_changes(registry, {}), {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->series, 1U);
  EXPECT_EQ(figures(copy), figures(registry));
}

TEST(RegistryState, WhatIsFoundToBeChangedIsSaved) {
  Registry registry(std::make_shared<Catalog>(10));
  Registry copy(std::make_shared<Catalog>(10));
  Family<Gauge>& users = *registry.define<Gauge>(gauge("users", Merge::sum)).value();
  users.at(LabelValues{"a"}, {}).apply(1, 5, 0);
  ASSERT_TRUE(load(copy, saved_whole(registry, {}), {}));
  EXPECT_EQ(figures(copy), figures(registry));
  const std::vector<std::string_view> values{"a"};
  EXPECT_TRUE(users.find(values)->forget(1));
  ASSERT_TRUE(load(copy, saved_changes(registry, {}), {}));
  EXPECT_EQ(figures(copy), figures(registry));
}

// Counters of these paths, each told of once, at `at_ns`.
void count_paths(Registry& registry, int from, int to, std::int64_t at_ns) {
  Family<Counter>& family = *registry.define<Counter>(requests()).value();
  for (int i = from; i < to; ++i)
    family.at(LabelValues{std::to_string(i), "ok"}, {{at_ns}, at_ns}).apply(kOne);
}

void expire(Registry& registry, std::int64_t before_ns) {
  registry.forget(registry.image().take_idle(before_ns), before_ns);
}

TEST(RegistryState, WhatWentAndCameBackIsTheNewOne) {
  Registry registry(std::make_shared<Catalog>(10));
  Registry copy(std::make_shared<Catalog>(10));
  count_paths(registry, 0, 3, 1);
  ASSERT_TRUE(load(copy, saved_whole(registry, {{1}, 1}), {{1}, 1}));
  expire(registry, 2);
  count_paths(registry, 1, 2, 5);
  const auto report = load(copy, saved_changes(registry, {{5}, 5}), {{5}, 5});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->gone, 3U);
  EXPECT_EQ(figures(copy), figures(registry));
}

TEST(RegistryState, WhenMoreWentThanThereIsTheFamilyIsSavedWhole) {
  Registry registry(std::make_shared<Catalog>(10));
  Registry copy(std::make_shared<Catalog>(10));
  count_paths(registry, 0, 10, 1);
  ASSERT_TRUE(load(copy, saved_whole(registry, {{1}, 1}), {{1}, 1}));
  for (std::int64_t round = 2; round < 1000; ++round) {
    expire(registry, round);
    count_paths(registry, static_cast<int>(round), static_cast<int>(round) + 10, round);
  }
  const std::string bytes = saved_changes(registry, {{1000}, 1000});
  EXPECT_LT(bytes.size(), 500U);
  ASSERT_TRUE(load(copy, bytes, {{1000}, 1000}));
  EXPECT_EQ(figures(copy), figures(registry));
}

TEST(RegistryState, AWholeOneLeavesNothingElse) {
  Registry registry(std::make_shared<Catalog>(10));
  Registry copy(std::make_shared<Catalog>(10));
  count_paths(registry, 0, 3, 1);
  count_paths(copy, 2, 6, 1);
  copy.define<Gauge>(gauge("users", Merge::sum)).value()->at(LabelValues{"a"}, {});
  const auto report = load(copy, saved_whole(registry, {}), {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->gone, 5U);
  EXPECT_EQ(copy.image().take_idle(std::numeric_limits<std::int64_t>::max()).size(), 1U);
  EXPECT_EQ(figures(copy), (std::vector<std::string>{"requests_total All of them.", figures(registry)[1],
                                                     figures(registry)[2], figures(registry)[3], "users "}));
}

TEST(RegistryState, SeriesAreIdleForAsLongAsTheyWere) {
  Registry registry(std::make_shared<Catalog>(10));
  count_paths(registry, 0, 1, 100);
  count_paths(registry, 1, 2, 400);
  const std::string bytes = saved_whole(registry, {{0}, 1000});
  Registry copy(std::make_shared<Catalog>(10));
  ASSERT_TRUE(load(copy, bytes, {{0}, 5000}));  // in another process, where the clock began elsewhere
  EXPECT_TRUE(copy.image().take_idle(4100).empty());
  expire(copy, 4101);
  EXPECT_EQ(figures(copy).size(), 2U);
  expire(copy, 4400);
  EXPECT_EQ(figures(copy).size(), 2U);
  expire(copy, 4401);
  EXPECT_EQ(figures(copy).size(), 1U);
}

TEST(RegistryState, WhatHasNoRoomIsCountedAndLeftOut) {
  Registry registry(std::make_shared<Catalog>(10));
  count_paths(registry, 0, 12, 1);
  const auto catalog = std::make_shared<Catalog>(4);
  Registry copy(catalog);
  const auto report = load(copy, saved_whole(registry, {}), {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->series, 5U) << "the overflow series takes no place";
  EXPECT_EQ(report->no_room, 6U);
  EXPECT_EQ(catalog->series_count(), 4U);
  count_paths(registry, 0, 10, 2);
  const auto changed = load(copy, saved_changes(registry, {}), {});
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->series, 4U);
  EXPECT_EQ(changed->no_room, 6U);
}

// As a shard and the copy that is shown of it do.
TEST(RegistryState, TwoOfOneCatalogHoldASeriesUntilBothLetItGo) {
  const auto catalog = std::make_shared<Catalog>(3);
  Registry registry(catalog);
  Registry copy(catalog);
  count_paths(registry, 0, 3, 1);
  ASSERT_TRUE(load(copy, saved_whole(registry, {}), {}));
  EXPECT_EQ(catalog->series_count(), 3U);
  expire(registry, 2);
  EXPECT_EQ(catalog->series_count(), 3U);
  ASSERT_TRUE(load(copy, saved_changes(registry, {}), {}));
  EXPECT_EQ(catalog->series_count(), 0U);
  count_paths(registry, 10, 13, 3);
  ASSERT_TRUE(load(copy, saved_changes(registry, {}), {}));
  EXPECT_EQ(figures(copy), figures(registry));
}

TEST(RegistryState, AFamilyThatIsKnownOtherwiseIsLeftOut) {
  FamilySpec other_kind = gauge("requests_total", Merge::sum);
  FamilySpec other_labels = requests();
  other_labels.label_names.pop_back();
  other_labels.kept_label.clear();
  Workload workload;
  workload.tell(1000, {});
  const std::string bytes = saved_whole(workload.registry, {});
  const std::size_t all = figures(workload.registry).size();

  const auto expect_left_out = [&](Registry& copy, const std::string& name) {
    const auto report = load(copy, bytes, {});
    ASSERT_TRUE(report) << name;
    EXPECT_GT(report->conflicting, 30U) << name;
    EXPECT_EQ(figures(copy).size(), all - report->conflicting) << name;
  };
  Registry kind(std::make_shared<Catalog>(kNoCap));
  (void)kind.define<Gauge>(other_kind);
  expect_left_out(kind, "kind");
  Registry labels(std::make_shared<Catalog>(kNoCap));
  (void)labels.define<Counter>(other_labels);
  expect_left_out(labels, "labels");
  Registry bounds(std::make_shared<Catalog>(kNoCap));
  (void)bounds.define<Histogram>(latency({1, 2}));
  expect_left_out(bounds, "bounds");
}

TEST(RegistryState, MergingAddsUp) {
  const auto catalog = std::make_shared<Catalog>(kNoCap);
  Workload a(catalog), b(catalog);
  a.tell(500, {{10}, 10});
  b.tell(900, {{20}, 20});
  RegistryImage expected = a.registry.image();
  expected.merge(b.registry.image());
  Registry merged(std::make_shared<Catalog>(kNoCap));
  merged.merge(a.registry);
  const LoadReport report = merged.merge(b.registry);
  EXPECT_EQ(report.no_room + report.conflicting, 0U);

  const Snapshot shown = merged.image().snapshot({});
  const Snapshot wanted = std::move(expected).snapshot({});
  ASSERT_EQ(shown.families.size(), wanted.families.size());
  for (std::size_t i = 0; i < shown.families.size(); ++i) {
    std::visit(
        [&]<class S>(const SeriesOf<S>& series) {
          if (wanted.families[i].spec->kind == Kind::gauge) return;
          const auto& of_image = std::get<SeriesOf<S>>(wanted.families[i].series);
          ASSERT_EQ(series.size(), of_image.size());
          for (std::size_t at = 0; at < series.size(); ++at) {
            std::ostringstream ours, theirs;
            describe(ours, series[at].shape);
            describe(theirs, of_image[at].shape);
            EXPECT_EQ(ours.str(), theirs.str());
            EXPECT_EQ(series[at].created, of_image[at].created);
          }
        },
        shown.families[i].series);
  }
}

double sum_of_counters(const Registry& registry) {
  double sum = 0;
  const Snapshot snapshot = registry.image().snapshot({});
  for (const auto& series : std::get<SeriesOf<Scalar>>(snapshot.families.at(0).series)) {
    sum += series.shape.value;
  }
  return sum;
}

TEST(RegistryState, MergingLosesNothingWhereThereIsLessRoom) {
  Registry registry(std::make_shared<Catalog>(10));
  count_paths(registry, 0, 12, 1);
  registry.define<Counter>(requests()).value()->at(LabelValues{"/", "failed"}, {}).apply(kOne);
  Registry small(std::make_shared<Catalog>(3));
  count_paths(small, 0, 1, 1);
  const LoadReport report = small.merge(registry);
  EXPECT_EQ(report.no_room, 7U);
  EXPECT_EQ(sum_of_counters(small), 14);
  std::vector<std::string> keys;
  for (const std::string& line : figures(small)) keys.push_back(line.substr(0, line.find(' ')));
  EXPECT_EQ(small.image().refused(), registry.image().refused()) << "merging is no observation";
  EXPECT_EQ(keys, (std::vector<std::string>{"refused", "requests_total", "0,ok,", "1,ok,", "2,ok,",
                                            "__overflow__,failed,", "__overflow__,ok,"}));
}

TEST(RegistryState, MergedGaugesHaveNoOwners) {
  Registry registry(std::make_shared<Catalog>(10));
  registry.define<Gauge>(gauge("users", Merge::sum)).value()->at(LabelValues{"a"}, {}).apply(1, 5, 0);
  registry.define<Gauge>(gauge("depth", Merge::last)).value()->at(LabelValues{"a"}, {}).apply(1, 5, 0);
  Registry merged(std::make_shared<Catalog>(10));
  merged.merge(registry);
  EXPECT_EQ(figures(merged), (std::vector<std::string>{"depth ", "users ", "a, 0 " + bits_of(0)}));
  EXPECT_EQ(merged.image().take_idle(1).size(), 2U) << "nobody holds them";
}

TEST(RegistryState, MergingLeavesOutWhatIsKnownOtherwise) {
  Registry registry(std::make_shared<Catalog>(10));
  count_paths(registry, 0, 5, 1);
  Registry other(std::make_shared<Catalog>(10));
  (void)other.define<Gauge>(gauge("requests", Merge::sum));
  const LoadReport report = other.merge(registry);
  EXPECT_EQ(report.conflicting, 5U);
  EXPECT_EQ(report.series, 0U);
}

TEST(RegistryState, WhatFoundNoRoomIsCountedInEachRegistry) {
  const auto catalog = std::make_shared<Catalog>(2);
  Registry registry(catalog);
  Registry copy(catalog);
  count_paths(registry, 0, 5, 1);
  ASSERT_TRUE(load(copy, saved_whole(registry, {}), {}));
  EXPECT_EQ(copy.image().refused(), 3U);
  registry.define<Counter>(requests()).value()->count_refused(4);
  count_paths(registry, 0, 3, 1);
  ASSERT_TRUE(load(copy, saved_changes(registry, {}), {}));
  EXPECT_EQ(registry.image().refused(), 8U);
  EXPECT_EQ(figures(copy), figures(registry));
  RegistryImage both = registry.image();
  both.merge(copy.image());
  EXPECT_EQ(both.refused(), 16U);
}

// What a loaded registry must bear.
void use(Registry& registry) {
  (void)figures(registry);
  (void)saved_whole(registry, {});
  Registry other(std::make_shared<Catalog>(2));
  other.merge(registry);
  (void)figures(other);
  expire(registry, std::numeric_limits<std::int64_t>::max());
}

class DamagedState : public testing::Test {
 protected:
  DamagedState() {
    Registry registry(std::make_shared<Catalog>(2));
    count_paths(registry, 0, 2, 1);
    Family<Gauge>& depth = *registry.define<Gauge>(gauge("depth", Merge::last)).value();
    depth.at(LabelValues{"a"}, {}).apply(7, 5, 0);
    Family<Histogram>& latencies = *registry.define<Histogram>(latency({0.5, 1})).value();
    for (const double value : {0.0, 0.1, 7.0, 7.0, 300.0}) latencies.at(LabelValues{"a"}, {}).apply(value);
    whole_ = saved_whole(registry, {{5}, 5});
    count_paths(registry, 2, 3, 9);  // overflows
    expire(registry, 3);
    latencies.at(LabelValues{"b"}, {}).apply(1e-9);
    changes_ = saved_changes(registry, {{9}, 9});
  }

  // Loads one, then the other. The registry is thrown away where that is refused.
  static bool load_both(std::string_view whole, std::string_view changes) {
    Registry copy(std::make_shared<Catalog>(10));
    for (const std::string_view bytes : {whole, changes}) {
      StateReader reader(bytes);
      const auto report = copy.load(reader, {{9}, 9});
      if (!report) {
        EXPECT_EQ(report.error(), Errc::corrupt_state);
        return false;
      }
    }
    use(copy);
    return true;
  }

  std::string whole_;
  std::string changes_;
};

TEST_F(DamagedState, IsRefusedWhereverItIsCut) {
  ASSERT_TRUE(load_both(whole_, changes_));
  for_each_cut(whole_, [&](std::string_view cut) { EXPECT_FALSE(load_both(cut, changes_)) << cut.size(); });
  for_each_cut(changes_, [&](std::string_view cut) { EXPECT_FALSE(load_both(whole_, cut)) << cut.size(); });
}

TEST_F(DamagedState, IsRefusedOrConsistentWhereverItIsFlipped) {
  std::size_t refused = 0;
  for_each_damage(whole_, [&](std::string_view bytes) { refused += load_both(bytes, changes_) ? 0U : 1U; });
  for_each_damage(changes_, [&](std::string_view bytes) { refused += load_both(whole_, bytes) ? 0U : 1U; });
  EXPECT_GT(refused, 1000U);
}

TEST_F(DamagedState, MayBeAnyBytes) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = whole_.substr(0, random() % whole_.size());
    for (std::size_t left = random() % 200; left > 0; --left) bytes += static_cast<char>(random());
    load_both(bytes, changes_);
  }
}

// A line of a label's value, or a label too many, would make a scrape that nobody can read.
TEST(RegistryState, KeysThatNoSeriesCanHaveAreLeftOut) {
  const auto load_key = [](const std::string& key) {
    std::string bytes;
    StateWriter out(bytes);
    out.u8(1);
    out.u64(1);
    save(out, requests());
    for (const std::uint64_t number : {0U, 1U, 0U, 0U, 1U}) out.u64(number);  // up to the series
    out.text(key);
    for (int i = 0; i < 5; ++i) out.u8(0);  // overflow, created, idle, and the counter
    Registry registry(std::make_shared<Catalog>(10));
    const auto report = load(registry, bytes, {});
    EXPECT_TRUE(report);
    EXPECT_EQ(report->series + report->malformed, 1U);
    return report->series == 1;
  };
  EXPECT_TRUE(load_key("/\xFFok\xFF"));
  EXPECT_TRUE(load_key("\xFF\xFF"));
  EXPECT_TRUE(load_key(std::string(limits::kLabelValue, 'x') + "\xFFok\xFF"));
  EXPECT_FALSE(load_key(std::string(limits::kLabelValue + 1, 'x') + "\xFFok\xFF"));
  EXPECT_FALSE(load_key("/\xFFok"));
  EXPECT_FALSE(load_key("/\xFF"));
  EXPECT_FALSE(load_key(""));
  EXPECT_FALSE(load_key("/\xFFok\xFFmore\xFF"));
  EXPECT_FALSE(load_key("\xC3\xFFok\xFF"));
}

}  // namespace
}  // namespace metricsd
