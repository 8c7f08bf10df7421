// Definitions, cells and what is told of them: exact whatever threads come, go and write meanwhile.
#include "metrics/metric_registry.h"

#include "metrics/metric_deltas.h"

#include <metricsd/models/limits.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

const MetricSeries& counter(MetricRegistry& registry, const std::string& name,
                            const std::map<std::string, std::string>& labels = {}) {
  return **registry.define({.base_name = name}, labels);
}

const MetricSeries& histogram(MetricRegistry& registry, std::vector<double> bounds) {
  return **registry.define({.base_name = "h", .kind = Kind::histogram, .bounds = std::move(bounds)}, {});
}

void add(MetricRegistry& registry, const MetricSeries& series, std::uint64_t amount) {
  if (t_cells.registry == registry.id() || registry.enter()) {
    add_alone(t_cells.counters[series.index].whole, amount);
  }
}

void observe(MetricRegistry& registry, const MetricSeries& series, double value) {
  if (t_cells.registry != registry.id() && !registry.enter()) return;
  HistogramCell* cell = t_cells.histograms[series.index];
  if (cell == nullptr || !cell->observe_usual(value)) registry.observe_carefully(series.index, value);
}

// All that was told of series, added up.
struct Told {
  std::map<std::uint32_t, double> scalars;
  std::vector<std::uint64_t> buckets;
  ExponentialHistogram exponential{limits::kLiveBuckets};
  double sum = 0;

  void take(MetricDeltas& deltas) {
    ipc::SamplesMessage message;
    deltas.refresh();
    while (deltas.next(message)) {
      for (const ipc::Sample& row : message.samples) take(row);
    }
  }
  void take(const ipc::Sample& row) {
    if (!row.delta) {
      scalars[row.id] += row.values.at(0);
      return;
    }
    buckets.resize(row.delta->buckets.size());
    EXPECT_TRUE(row.delta->fits(buckets.size() - 1));
    for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += row.delta->buckets[i];
    exponential.merge(row.delta->exponential);
    sum += row.delta->sum;
  }
};

TEST(MetricRegistry, DefiningTheSameAgainGivesTheSame) {
  MetricRegistry registry;
  const MetricSeries& one = counter(registry, "requests", {{"b", "1"}, {"a", "2"}});
  EXPECT_EQ(&counter(registry, "requests", {{"a", "2"}, {"b", "1"}}), &one);
  const MetricSeries& other = counter(registry, "requests", {{"a", "2"}, {"b", "2"}});
  EXPECT_NE(&other, &one);
  EXPECT_EQ(other.family, one.family);
}

TEST(MetricRegistry, RefusesWhatConflictsOrBreaksARule) {
  MetricRegistry registry;
  const MetricSeries& one = counter(registry, "requests", {{"method", "get"}});
  EXPECT_EQ(registry.define({.base_name = "requests", .kind = Kind::gauge}, {}).error(),
            Errc::conflicting_definition);
  EXPECT_EQ(registry.define({.base_name = "requests"}, {{"other", "get"}}).error(),
            Errc::conflicting_definition);
  EXPECT_EQ(registry.define({.base_name = "no spaces"}, {}).error(), Errc::invalid_definition);
  EXPECT_EQ(registry.define({.base_name = "x"}, {{"le", "1"}}).error(), Errc::invalid_definition);
  EXPECT_EQ(registry.define({.base_name = "x"}, {{"a", std::string(257, 'x')}}).error(), Errc::too_long);
  EXPECT_EQ(registry.define({.base_name = "x"}, {{"a", "\xFF"}}).error(), Errc::invalid_characters);
  EXPECT_EQ(registry.define({.base_name = "h", .kind = Kind::histogram, .bounds = {2, 1}}, {}).error(),
            Errc::invalid_definition);
  EXPECT_EQ(&counter(registry, "requests", {{"method", "get"}}), &one);
}

TEST(MetricRegistry, HasACapOnSeriesOfEachKind) {
  MetricRegistry registry;
  for (std::size_t i = 0; i < limits::kOwnHistograms; ++i) {
    ASSERT_TRUE(registry.define({.base_name = "h", .kind = Kind::histogram}, {{"n", std::to_string(i)}}));
  }
  EXPECT_EQ(registry.define({.base_name = "h", .kind = Kind::histogram}, {{"n", "one more"}}).error(),
            Errc::limit_reached);
  EXPECT_EQ(registry.define_or_warn({.base_name = "h", .kind = Kind::histogram}, {{"n", "another"}}),
            nullptr);
  EXPECT_EQ(registry.warnings().size(), 1U);
  EXPECT_TRUE(registry.define({.base_name = "h", .kind = Kind::histogram}, {{"n", "7"}}));
}

// While the reader reads, threads come and go and two registries take turns in each.
TEST(MetricRegistry, LosesAndDoublesNothingOverManyThreads) {
  constexpr int kThreads = 8;
  constexpr int kLives = 20;
  constexpr std::uint64_t kAmount = 2000;
  const auto registry = std::make_shared<MetricRegistry>();
  const auto other = std::make_shared<MetricRegistry>();
  const MetricSeries& requests = counter(*registry, "requests");
  const MetricSeries& of_other = counter(*other, "requests");
  const MetricSeries& waits = histogram(*registry, {0.5, 1, 2});
  MetricDeltas deltas(registry);
  MetricDeltas deltas_of_other(other);
  Told told;
  Told told_of_other;
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) told.take(deltas);
  });
  for (int life = 0; life < kLives; ++life) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (std::uint64_t n = 0; n < kAmount; ++n) {
          add(*registry, requests, 1);
          observe(*registry, waits, static_cast<double>(n % 4) * 0.75);
          if (n % 100 == 0) add(*other, of_other, 3);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  done = true;
  reader.join();
  told.take(deltas);
  told_of_other.take(deltas_of_other);

  constexpr std::uint64_t kAll = kThreads * kLives * kAmount;
  EXPECT_EQ(told.scalars.at(0), kAll);
  EXPECT_EQ(told_of_other.scalars.at(0), kAll / 100 * 3);
  EXPECT_EQ(told.buckets, (std::vector<std::uint64_t>{kAll / 4, kAll / 4, kAll / 4, kAll / 4}));
  EXPECT_EQ(told.exponential.count(), kAll);
  EXPECT_EQ(told.exponential.zero_count(), kAll / 4);
  EXPECT_DOUBLE_EQ(told.sum, static_cast<double>(kAll) * 0.75 * 1.5);
  // Threads that followed one another used the same blocks.
  MetricRegistry::View view;
  registry->refresh(view);
  EXPECT_LE(view.blocks.size(), static_cast<std::size_t>(kThreads));
}

// The registry's lock is held most of the time, so also at most of the forks: and in the child for ever.
TEST(MetricRegistry, NeverWaitsInAForkedChild) {
  constexpr int kForks = 20;
  constexpr unsigned kHangsAfterSeconds = 60;
  const auto registry = std::make_shared<MetricRegistry>();
  for (int i = 0; i < 5000; ++i) counter(*registry, "c", {{"n", std::to_string(i)}});
  const MetricSeries& waits = histogram(*registry, {1});
  add(*registry, counter(*registry, "requests"), 1);  // this thread has cells, but none of the histogram
  std::atomic<bool> done = false;
  std::thread holder([&] {
    while (!done) {
      MetricRegistry::View view;
      registry->refresh(view);
    }
  });
  bool all_ended = true;
  for (int i = 0; all_ended && i < kForks; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(kHangsAfterSeconds);
      observe(*registry, waits, 1);
      observe(*registry, waits, 1e300);
      registry->observe_carefully(waits.index, 1e300);
      ::_exit(registry->define_or_warn({.base_name = "d"}, {}) == nullptr ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    int status = -1;
    all_ended = ::waitpid(child, &status, 0) == child && status == 0;
  }
  done = true;
  holder.join();
  EXPECT_TRUE(all_ended);
}

TEST(MetricRegistry, CountsFarAndUnusualValuesToo) {
  using Limits = std::numeric_limits<double>;
  const auto registry = std::make_shared<MetricRegistry>();
  const std::vector<double> bounds{0.1, 1, std::nextafter(1, 2), 10};
  const MetricSeries& series = histogram(*registry, bounds);
  const std::vector<double> values{0,    -0.0, 0.1, 1,    std::nextafter(1, 2), std::nextafter(1, 0),
                                   10,   11,   1e9, 1e25, Limits::denorm_min(), 1e-30,
                                   1e-9, 0.5};
  metricsd::Histogram expected(series.family->spec);
  for (const double value : values) {
    observe(*registry, series, value);
    expected.apply(value);
  }
  for (const double value : {-1.0, Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()}) {
    observe(*registry, series, value);
  }
  MetricDeltas deltas(registry);
  Told told;
  told.take(deltas);
  const Buckets shown = std::get<Buckets>(*expected.show());
  EXPECT_EQ(told.buckets, shown.counts);
  EXPECT_EQ(told.exponential.count(), shown.count);
  EXPECT_EQ(told.exponential.zero_count(), shown.exponential.zero_count());
  EXPECT_DOUBLE_EQ(told.sum, shown.sum);
  EXPECT_EQ(registry->warnings().size(), 1U);
}

TEST(MetricRegistry, KeepsSmallValuesInALargeSum) {
  const auto registry = std::make_shared<MetricRegistry>();
  const MetricSeries& series = histogram(*registry, {1});
  constexpr int kValues = 2'000'000;
  for (int i = 0; i < kValues; ++i) observe(*registry, series, 0.1);
  MetricDeltas deltas(registry);
  Told told;
  told.take(deltas);
  EXPECT_NEAR(told.sum, kValues * 0.1, kValues * 0.1 * 1e-12);
}

TEST(MetricDeltas, AreWhatCameSinceTheLast) {
  const auto registry = std::make_shared<MetricRegistry>();
  const MetricSeries& series = counter(*registry, "requests");
  MetricDeltas deltas(registry);
  ipc::SamplesMessage message;
  deltas.refresh();
  EXPECT_FALSE(deltas.next(message));
  add(*registry, series, 5);
  deltas.refresh();
  ASSERT_TRUE(deltas.next(message));
  EXPECT_EQ(message.samples.at(0).values.at(0), 5);
  EXPECT_FALSE(deltas.next(message));
  add(*registry, series, 2);
  add_alone(t_cells.counters[series.index].rest, 0.25);
  deltas.refresh();
  ASSERT_TRUE(deltas.next(message));
  EXPECT_EQ(message.samples.at(0).values.at(0), 2.25);
}

TEST(MetricDeltas, TellGaugesWhereTheyChangedAndToEachConnection) {
  const auto registry = std::make_shared<MetricRegistry>();
  const MetricSeries& gauge = **registry->define({.base_name = "depth", .kind = Kind::gauge}, {});
  MetricDeltas deltas(registry);
  ipc::SamplesMessage message;
  deltas.refresh();
  EXPECT_FALSE(deltas.next(message));  // never set
  gauge.gauge->value = 3;
  deltas.refresh();
  ASSERT_TRUE(deltas.next(message));
  EXPECT_EQ(message.samples.at(0).values.at(0), 3);
  deltas.refresh();
  EXPECT_FALSE(deltas.next(message));
  deltas.begin_connection();
  deltas.refresh();
  EXPECT_TRUE(deltas.next(message));
  EXPECT_EQ(deltas.take_definitions().size(), 1U);
  EXPECT_EQ(deltas.take_definitions().size(), 0U);
}

TEST(MetricDeltas, TellThatACounterIsThereBeforeItCounts) {
  const auto registry = std::make_shared<MetricRegistry>();
  const MetricSeries& series = counter(*registry, "requests");
  MetricDeltas deltas(registry);
  ipc::SamplesMessage message;
  deltas.refresh();
  EXPECT_FALSE(deltas.next(message));  // nobody listens
  for (int connection = 0; connection < 2; ++connection) {
    deltas.begin_connection();
    deltas.refresh();
    ASSERT_TRUE(deltas.next(message));
    EXPECT_EQ(message.samples.at(0).values.at(0), 0);
    deltas.refresh();
    EXPECT_FALSE(deltas.next(message));
  }
  add(*registry, series, 5);
  deltas.refresh();
  ASSERT_TRUE(deltas.next(message));
  EXPECT_EQ(message.samples.at(0).values.at(0), 5);
  deltas.begin_connection();
  deltas.refresh();
  EXPECT_FALSE(deltas.next(message));  // what was told is kept
}

TEST(MetricDeltas, CutManyRowsIntoMessages) {
  const auto registry = std::make_shared<MetricRegistry>();
  for (int i = 0; i < 5000; ++i) add(*registry, counter(*registry, "c", {{"n", std::to_string(i)}}), 1);
  MetricDeltas deltas(registry);
  ipc::SamplesMessage message;
  std::size_t rows = 0;
  int messages = 0;
  for (deltas.refresh(); deltas.next(message); ++messages) rows += message.samples.size();
  EXPECT_EQ(rows, 5000U);
  EXPECT_GT(messages, 1);
}

}  // namespace
}  // namespace metricsd::client
