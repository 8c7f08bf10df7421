#include "operation_fold.h"

#include <metricsd/models/limits.h>

#include <array>
#include <cmath>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

Moment second(std::int64_t s) {
  return {{s * kNsPerSecond}, s * kNsPerSecond};
}

Run run_of(std::string id) {
  Run run;
  run.test_run_id = std::move(id);
  return run;
}

struct Folded {
  std::string operation_type;
  std::string driver;
  bool success;
  std::string error_code;
  std::int64_t duration_ns;
  std::uint64_t size;
  std::uint64_t retries;

  OperationLabels labels() const {
    return {.operation_type = operation_type,
            .workload_type = "s3",
            .driver = driver,
            .success = success,
            .error_code = error_code};
  }
};

Folded upload(std::string driver = "boto") {
  return {"upload", std::move(driver), true, "", 100 * kNsPerMs, 1000, 0};
}

Folded random_operation(std::mt19937_64& random) {
  const std::array<std::string, 4> types{"upload", "list", "a", "an-operation-of-a-name-beyond-16"};
  const std::array<std::string, 3> drivers{"", "rest", "an-operation-of-A-name-beyond-16"};
  const std::array<std::string, 3> codes{"", "SlowDown", "InternalServerError"};
  std::exponential_distribution<double> spread(0.3);
  Folded operation{types[random() % types.size()],
                   drivers[random() % drivers.size()],
                   random() % 5 != 0,
                   "",
                   0,
                   0,
                   random() % 3};
  if (!operation.success) operation.error_code = codes[random() % codes.size()];
  if (random() % 20 != 0) operation.duration_ns = static_cast<std::int64_t>(std::exp(10 + spread(random)));
  operation.duration_ns = std::min(operation.duration_ns, limits::kDurationNs);
  if (random() % 4 != 0) operation.size = random() >> (11 + random() % 53);
  return operation;
}

// What the families are by the contract, without any cleverness.
class PlainFold {
 public:
  explicit PlainFold(Registry& registry) {
    for (const FamilySpec& spec : operation_family_specs({})) {
      if (spec.kind == Kind::histogram) histograms_.push_back(registry.define<Histogram>(spec).value());
      if (spec.kind == Kind::counter) counters_.push_back(registry.define<Counter>(spec).value());
    }
  }

  void apply(const Folded& operation, const Moment& now) {
    const LabelValues workload{operation.operation_type, "s3", operation.driver};
    LabelValues status = workload;
    status.emplace_back(operation.success ? "success" : "failure");
    LabelValues code = workload;
    code.push_back(operation.error_code.empty() ? "unknown" : operation.error_code);
    histograms_[0]->at(status, now).apply(static_cast<double>(operation.duration_ns) / 1e9);
    histograms_[1]->at(workload, now).apply(static_cast<double>(operation.size));
    counters_[0]->at(status, now).apply(std::uint64_t{1});
    if (operation.success) counters_[1]->at(workload, now).apply(operation.size);
    if (!operation.success) counters_[2]->at(code, now).apply(std::uint64_t{1});
    counters_[3]->at(workload, now).apply(operation.retries);
  }

 private:
  std::vector<Family<Histogram>*> histograms_;
  std::vector<Family<Counter>*> counters_;
};

void expect_same_shape(const Scalar& a, const Scalar& b) {
  EXPECT_EQ(a.value, b.value);
}
void expect_same_shape(const Buckets& a, const Buckets& b) {
  EXPECT_EQ(a.counts, b.counts);
  EXPECT_EQ(a.count, b.count);
  EXPECT_EQ(a.exponential, b.exponential);
  EXPECT_NEAR(a.sum, b.sum, b.sum * 1e-14);
}

template <class S>
void expect_same_series(const SeriesOf<S>& a, const SeriesOf<S>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].key, b[i].key);
    if constexpr (std::is_same_v<S, Scalar> || std::is_same_v<S, Buckets>) {
      expect_same_shape(a[i].shape, b[i].shape);
    }
  }
}

void expect_same(const Snapshot& a, const Snapshot& b) {
  ASSERT_EQ(a.families.size(), b.families.size());
  for (std::size_t i = 0; i < a.families.size(); ++i) {
    SCOPED_TRACE(a.families[i].spec->base_name);
    ASSERT_EQ(a.families[i].spec->base_name, b.families[i].spec->base_name);
    std::visit(
        [&](const auto& series) {
          expect_same_series(series, std::get<std::decay_t<decltype(series)>>(b.families[i].series));
        },
        a.families[i].series);
  }
}

class OperationFoldTest : public ::testing::Test {
 protected:
  explicit OperationFoldTest(std::size_t max_series = limits::kSeriesPerFamily)
      : catalog_(std::make_shared<Catalog>(max_series)), registry_(catalog_), families_(registry_, {}) {}

  void apply(const Folded& operation, const Moment& now, LiveRun* run = nullptr) {
    fold_.apply(fold_.series(operation.labels(), run), operation.duration_ns, operation.size,
                operation.retries, now);
  }
  void apply_and_settle(const Folded& operation, const Moment& now, LiveRun* run = nullptr) {
    apply(operation, now, run);
    fold_.settle(now);
  }

  double operations() {
    double sum = 0;
    const Snapshot snapshot = registry_.image().snapshot({});
    for (const FamilySnapshot& family : snapshot.families) {
      if (family.spec->base_name != "workload_operations") continue;
      for (const auto& series : std::get<SeriesOf<Scalar>>(family.series)) sum += series.shape.value;
    }
    return sum;
  }

  std::uint64_t refused(std::string_view family) const {
    for (const OverflowReport& report : catalog_->overflows()) {
      if (report.family == family) return report.refused;
    }
    return 0;
  }

  std::shared_ptr<Catalog> catalog_;
  Registry registry_;
  OperationFamilies families_;
  LiveRuns live_runs_;
  OperationFold fold_{families_, live_runs_};
};

TEST_F(OperationFoldTest, EqualsFoldingOneByOne) {
  Registry reference(std::make_shared<Catalog>(limits::kSeriesPerFamily));
  for (const FamilySpec& spec : operation_family_specs({})) {  // the same families, those without series too
    if (spec.kind == Kind::gauge && spec.base_name.ends_with("users")) (void)reference.define<Gauge>(spec);
  }
  PlainFold plain(reference);
  std::mt19937_64 random(7);
  for (int chunk = 0; chunk < 500; ++chunk) {
    const Moment now = second(chunk);
    for (std::uint64_t i = random() % 100; i > 0; --i) {
      const Folded operation = random_operation(random);
      apply(operation, now);
      plain.apply(operation, now);
    }
    fold_.settle(now);
  }
  expect_same(registry_.image().snapshot({}), reference.image().snapshot({}));
}

TEST_F(OperationFoldTest, LiveStatisticsEqualThoseOfAllOperations) {
  std::mt19937_64 random(8);
  ExponentialHistogram seconds(limits::kLiveBuckets);
  Moments durations;
  Uint128 bytes = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Folded operation = random_operation(random);
    apply(operation, second(1));
    if (i % 100 == 0) fold_.settle(second(1));
    if (!operation.success) continue;
    seconds.apply(static_cast<double>(operation.duration_ns) / 1e9);
    durations.apply(static_cast<std::uint64_t>(operation.duration_ns));
    bytes += operation.size;
  }
  fold_.settle(second(1));
  const RunSummary summary = live_runs_.find("")->summary(second(2));
  EXPECT_EQ(summary.overall.operations.total, 20'000U);
  EXPECT_EQ(summary.overall.operations.successful, durations.count());
  EXPECT_EQ(summary.overall.bytes_transferred, saturated(bytes));
  EXPECT_EQ(summary.overall.duration_ms->stddev, durations.stddev(kNsPerMs));
  EXPECT_EQ(summary.overall.duration_ms->percentile(990), seconds.quantile(0.99) * 1000);
  std::uint64_t errors = 0;
  for (const auto& [code, count] : summary.errors_by_code) errors += count;
  EXPECT_EQ(errors, summary.overall.operations.failed());
  EXPECT_TRUE(summary.errors_by_code.contains("unknown"));
}

TEST_F(OperationFoldTest, LabelsThatDifferHaveSeriesOfTheirOwn) {
  std::set<const OperationSeries*> all;
  std::vector<Folded> operations{upload(), upload("Boto"), upload(""), upload("boto3")};
  operations.push_back({"boto", "upload", true, "", 1, 1, 0});
  operations.push_back({"upload", "boto", false, "", 1, 1, 0});
  operations.push_back({"upload", "boto", false, "x", 1, 1, 0});
  const std::string long_text = "the middle of a text is 1 and the same";
  for (const char c : {'1', '2', '3'}) {
    std::string driver = long_text;
    driver[24] = c;
    operations.push_back(upload(driver));
  }
  for (const Folded& operation : operations) all.insert(&fold_.series(operation.labels(), nullptr));
  EXPECT_EQ(all.size(), operations.size());
  for (const Folded& operation : operations) {
    const Folded copy = operation;  // its texts stand elsewhere
    EXPECT_TRUE(all.contains(&fold_.series(copy.labels(), nullptr)));
  }
  LiveRun& run = live_runs_.join(run_of("r"), second(0));
  EXPECT_FALSE(all.contains(&fold_.series(upload().labels(), &run)));
}

TEST_F(OperationFoldTest, SeriesThatExpiredAreFoundAnew) {
  OperationSeries& kept = fold_.series(upload().labels(), nullptr);
  apply_and_settle(upload(), second(1));
  registry_.forget(registry_.image().take_idle(2 * kNsPerSecond), 2 * kNsPerSecond);
  EXPECT_EQ(operations(), 0);
  EXPECT_EQ(catalog_->series_count(), 0U);
  fold_.apply(kept, 1, 1, 0, second(3));
  fold_.apply(kept, 1, 1, 0, second(3));
  fold_.settle(second(3));
  EXPECT_EQ(operations(), 2);
}

TEST_F(OperationFoldTest, SettlingTouchesEverySeries) {
  apply_and_settle(upload(), second(1));
  apply_and_settle(upload(), second(5));
  EXPECT_TRUE(registry_.image().take_idle(5 * kNsPerSecond).empty());
  EXPECT_FALSE(registry_.image().take_idle(6 * kNsPerSecond).empty());
}

TEST_F(OperationFoldTest, ARunThatMadeRoomIsNotCountedInAgain) {
  for (std::size_t i = 0; i < limits::kLiveRuns; ++i) {
    apply_and_settle(upload(), second(1), &live_runs_.join(run_of("r" + std::to_string(i)), second(1)));
  }
  LiveRun& ended = live_runs_.at("r0", second(2));
  OperationSeries& kept = fold_.series(upload().labels(), nullptr);
  live_runs_.leave(ended, second(2));
  LiveRun& next = live_runs_.join(run_of("next"), second(3));  // may stand where r0 stood
  apply_and_settle(upload(), second(4), &next);
  fold_.apply(kept, 1, 1, 0, second(4));
  fold_.settle(second(4));
  EXPECT_EQ(live_runs_.find("r0"), nullptr);
  EXPECT_EQ(live_runs_.find("next")->counts.total, 1U);
  EXPECT_EQ(live_runs_.find("")->counts.total, 1U);
}

TEST_F(OperationFoldTest, WhatIsKeptIsBounded) {
  for (std::size_t i = 0; i < limits::kSeriesKept; ++i) {
    (void)fold_.series(upload(std::to_string(i)).labels(), nullptr);
  }
  fold_.keep_bounded();
  const std::uint64_t epoch = fold_.epoch();
  const OperationSeries* const one = &fold_.series(upload("1").labels(), nullptr);
  EXPECT_EQ(&fold_.series(upload("1").labels(), nullptr), one);
  (void)fold_.series(upload("one more").labels(), nullptr);
  EXPECT_EQ(fold_.epoch(), epoch);
  fold_.keep_bounded();
  EXPECT_NE(fold_.epoch(), epoch);
  apply_and_settle(upload("1"), second(1));
  EXPECT_EQ(operations(), 1);
}

class FullOperationFoldTest : public OperationFoldTest {
 protected:
  FullOperationFoldTest() : OperationFoldTest(1) { apply_and_settle(upload(), second(0)); }
};

TEST_F(FullOperationFoldTest, EachOperationWithoutRoomIsCountedAsRefused) {
  const Folded refused_upload = upload("late");
  for (int chunk = 0; chunk < 3; ++chunk) {
    for (int i = 0; i < 10; ++i) apply(refused_upload, second(0));
    fold_.settle(second(0));
  }
  EXPECT_EQ(operations(), 31);
  EXPECT_EQ(refused("workload_operations_total"), 30U);
  EXPECT_EQ(refused("workload_operation_duration_seconds"), 30U);
  EXPECT_EQ(refused("workload_bytes_transferred_total"), 30U);
  EXPECT_EQ(refused("workload_operation_errors_total"), 0U);
  apply_and_settle(refused_upload, second(60));  // has tried again
  EXPECT_EQ(refused("workload_operations_total"), 31U);
}

TEST_F(FullOperationFoldTest, WhoHadNoRoomFindsItLater) {
  apply_and_settle(upload("late"), second(10));
  registry_.forget(registry_.image().take_idle(5 * kNsPerSecond), 5 * kNsPerSecond);
  apply_and_settle(upload("late"), second(11));
  EXPECT_EQ(refused("workload_operations_total"), 1U);
  EXPECT_EQ(operations(), 2);
}

TEST_F(FullOperationFoldTest, RoomThatAnotherShardLeftIsFoundWithinSeconds) {
  Registry other(catalog_);
  apply_and_settle(upload("late"), second(10));
  EXPECT_EQ(refused("workload_operations_total"), 1U);
  // What this shard holds goes by another hand: nothing here says so.
  const Snapshot snapshot = registry_.image().snapshot({});
  for (const FamilySnapshot& family : snapshot.families) {
    const auto release = [&](const auto& list) {
      for (const auto& series : list) catalog_->release(*family.spec, series.key);
    };
    std::visit(release, family.series);
  }
  apply_and_settle(upload("late"), second(15));
  EXPECT_EQ(refused("workload_operations_total"), 1U);
}

}  // namespace
}  // namespace metricsd::server
