#include <metricsd/models/catalog.h>
#include <metricsd/models/limits.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

FamilySpec spec(const std::string& name, Kind kind = Kind::counter) {
  FamilySpec out;
  out.base_name = name;
  out.kind = kind;
  return out;
}

TEST(Catalog, GivesTheSameFamilyForTheSameDefinition) {
  Catalog catalog(10);
  const auto first = catalog.define(spec("a"));
  FamilySpec again = spec("a");
  again.help = "other words";
  EXPECT_EQ(first.value(), catalog.define(again).value());
}

TEST(Catalog, RefusesAnotherMeaningOfAName) {
  Catalog catalog(10);
  ASSERT_TRUE(catalog.define(spec("a")));
  EXPECT_EQ(catalog.define(spec("a", Kind::gauge)).error(), Errc::conflicting_definition);
  FamilySpec labelled = spec("a");
  labelled.label_names = {"x"};
  EXPECT_EQ(catalog.define(labelled).error(), Errc::conflicting_definition);
}

TEST(Catalog, RefusesANameThatAnotherFamilysSamplesHave) {
  Catalog catalog(10);
  ASSERT_TRUE(catalog.define(spec("latency", Kind::histogram)));
  EXPECT_EQ(catalog.define(spec("latency_count", Kind::gauge)).error(), Errc::conflicting_definition);
  EXPECT_EQ(catalog.define(spec("latency_bucket", Kind::gauge)).error(), Errc::conflicting_definition);
  ASSERT_TRUE(catalog.define(spec("jobs_total", Kind::gauge)));
  EXPECT_EQ(catalog.define(spec("jobs", Kind::counter)).error(), Errc::conflicting_definition);
  EXPECT_TRUE(catalog.define(spec("jobs", Kind::gauge)));
}

TEST(Catalog, BoundsTheNumberOfFamilies) {
  Catalog catalog(10);
  for (std::size_t i = 0; i < limits::kFamilies; ++i)
    ASSERT_TRUE(catalog.define(spec("f" + std::to_string(i))));
  EXPECT_EQ(catalog.define(spec("one_more")).error(), Errc::limit_reached);
}

TEST(Catalog, AdmitsUpToTheCapOverAllHolders) {
  Catalog catalog(2);
  const auto family = catalog.define(spec("a")).value();
  EXPECT_TRUE(catalog.admit(*family, "x"));
  EXPECT_TRUE(catalog.admit(*family, "x"));  // another shard
  EXPECT_TRUE(catalog.admit(*family, "y"));
  EXPECT_FALSE(catalog.admit(*family, "z"));
  catalog.release(*family, "x");
  EXPECT_FALSE(catalog.admit(*family, "z"));  // one shard still holds x
  catalog.release(*family, "x");
  EXPECT_TRUE(catalog.admit(*family, "z"));
}

TEST(Catalog, PeersFamiliesShareOneRoomAndOursHaveTheirOwn) {
  Catalog catalog(limits::kSeriesPerFamily);
  const auto ours = catalog.define(spec("ours")).value();
  std::size_t admitted = 0;
  for (std::size_t i = 0; i <= limits::kSeries / limits::kSeriesPerFamily; ++i) {
    const auto family = catalog.define(spec("theirs" + std::to_string(i)), Room::common).value();
    for (std::size_t j = 0; j < limits::kSeriesPerFamily; ++j) {
      admitted += catalog.admit(*family, std::to_string(j)) ? 1 : 0;
    }
  }
  EXPECT_EQ(admitted, limits::kSeries);
  EXPECT_EQ(catalog.series_count(), limits::kSeries);
  EXPECT_TRUE(catalog.admit(*ours, "x"));
  const auto theirs = catalog.define(spec("theirs0"), Room::common).value();
  catalog.release(*theirs, "0");
  EXPECT_TRUE(catalog.admit(*theirs, "0"));
  EXPECT_FALSE(catalog.admit(*catalog.define(spec("late"), Room::common).value(), "x"));
}

TEST(Catalog, ReportsWhatOverflowedAndTheLabelThatExploded) {
  Catalog catalog(3);
  FamilySpec labelled = spec("a");
  labelled.label_names = {"status", "path"};
  const auto family = catalog.define(labelled).value();
  EXPECT_TRUE(catalog.admit(*family, "ok\xFF/1\xFF"));
  EXPECT_TRUE(catalog.admit(*family, "ok\xFF/2\xFF"));
  EXPECT_TRUE(catalog.admit(*family, "failed\xFF/1\xFF"));
  EXPECT_TRUE(catalog.overflows().empty());
  EXPECT_FALSE(catalog.admit(*family, "ok\xFF/3\xFF"));
  catalog.release(*family, "failed\xFF/1\xFF");
  EXPECT_TRUE(catalog.admit(*family, "ok\xFF/3\xFF"));
  EXPECT_FALSE(catalog.admit(*family, "ok\xFF/4\xFF"));
  const auto reports = catalog.overflows();
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].family, "a_total");
  EXPECT_EQ(reports[0].refused, 2u);
  EXPECT_EQ(reports[0].exploded_label, "path");
  EXPECT_EQ(reports[0].distinct_values, 3u);
}

TEST(Catalog, TakesRequestsFromManyThreads) {
  Catalog catalog(100);
  std::vector<std::thread> threads;
  threads.reserve(4);
  std::atomic<int> admitted = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&catalog, &admitted, t] {
      const auto family = catalog.define(spec("a")).value();
      for (int i = 0; i < 100; ++i) admitted += catalog.admit(*family, std::to_string(t * 100 + i)) ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(admitted, 100);
}

}  // namespace
}  // namespace metricsd
