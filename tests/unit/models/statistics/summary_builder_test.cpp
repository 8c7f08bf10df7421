#include <metricsd/models/labels.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/statistics/summary_builder.h>
#include <metricsd/support/file_size_limit.h>
#include <metricsd/support/temporary_directory.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

constexpr std::int64_t kStart = 1'767'225'600 * kNsPerSecond;  // 2026-01-01T00:00:00Z
constexpr std::int64_t kNsPerUs = 1000;

Timestamp at_seconds(double seconds) {
  return {kStart + std::llround(seconds * 1e6) * kNsPerUs};
}

// An upload of 1 MiB that began `start_seconds` into the run.
OperationMetric upload(double start_seconds, double duration_ms, bool success = true) {
  OperationMetric operation;
  operation.operation_type = "upload";
  operation.workload_type = "s3";
  operation.timestamp_start = at_seconds(start_seconds);
  operation.duration_ns = std::llround(duration_ms * 1e6);
  operation.object_size_bytes = 1 << 20;
  operation.success = success;
  return operation;
}

// A run that says nothing of itself.
const Run kUntold;

Run run_of(double end_seconds) {
  Run run;
  run.test_run_id = "id";
  run.test_name = "name";
  run.start_time = at_seconds(0);
  run.end_time = at_seconds(end_seconds);
  return run;
}

RunSummary summarize(const std::vector<OperationMetric>& operations, const Run& run,
                     const SummaryBuilder::Options& options = {}) {
  SummaryBuilder builder(options);
  for (const OperationMetric& operation : operations) {
    if (!builder.add(operation)) ADD_FAILURE() << "add";
  }
  Result<RunSummary> summary = builder.finish(run, {});
  EXPECT_TRUE(summary);
  return summary ? *std::move(summary) : RunSummary{};
}

TEST(SummaryBuilder, OfNothing) {
  const RunSummary summary = summarize({}, kUntold);
  EXPECT_EQ(summary, RunSummary{});
  EXPECT_EQ(summary.overall.operations.success_rate(), std::nullopt);
}

TEST(SummaryBuilder, OfARunWithoutOperations) {
  const RunSummary summary = summarize({}, run_of(10));
  EXPECT_EQ(summary.duration_seconds, 10);
  EXPECT_EQ(summary.overall.requests_per_second, 0);
  EXPECT_EQ(summary.overall.duration_ms, std::nullopt);
  EXPECT_EQ(summary.overall.object_size_bytes, std::nullopt);
  EXPECT_TRUE(summary.by_operation.empty());
  EXPECT_TRUE(summary.windows.empty());
}

TEST(SummaryBuilder, CarriesWhatIsToldOfTheRun) {
  SummaryBuilder builder({});
  const DropCounts dropped{{"socket", {{"no_daemon", 7}}}};
  const auto summary = builder.finish(run_of(2.5), dropped);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->method, SummaryMethod::exact);
  EXPECT_EQ(summary->test_run_id, "id");
  EXPECT_EQ(summary->test_name, "name");
  EXPECT_EQ(summary->start_time, at_seconds(0));
  EXPECT_EQ(summary->end_time, at_seconds(2.5));
  EXPECT_EQ(summary->duration_seconds, 2.5);
  EXPECT_EQ(summary->dropped, dropped);
}

TEST(SummaryBuilder, StatisticsOfDurations) {
  std::vector<OperationMetric> operations;
  for (const double ms : {40, 10, 30, 20}) operations.push_back(upload(1, ms));
  operations.push_back(upload(1, 5000, false));
  const GroupSummary group = summarize(operations, run_of(2)).overall;

  EXPECT_EQ(group.operations.total, 5U);
  EXPECT_EQ(group.operations.successful, 4U);
  EXPECT_EQ(group.operations.failed(), 1U);
  EXPECT_EQ(group.operations.success_rate(), 80);
  EXPECT_EQ(group.requests_per_second, 2.5);
  ASSERT_TRUE(group.duration_ms);
  EXPECT_EQ(group.duration_ms->count, 4U);
  EXPECT_EQ(group.duration_ms->min, 10);
  EXPECT_EQ(group.duration_ms->max, 40);
  EXPECT_EQ(group.duration_ms->mean, 25);
  EXPECT_EQ(group.duration_ms->stddev, std::sqrt(500.0 / 3));
  EXPECT_EQ(group.duration_ms->percentile(500), 25);
  EXPECT_EQ(group.duration_ms->percentile(750), 32.5);
  EXPECT_EQ(group.duration_ms->percentile(900), 37);
  EXPECT_EQ(group.duration_ms->percentile(950), 38.5);
  EXPECT_EQ(group.duration_ms->percentile(990), 39.7);
  EXPECT_EQ(group.duration_ms->percentile(999), 39.97);
  EXPECT_TRUE(std::isnan(group.duration_ms->percentile(123)));
}

TEST(SummaryBuilder, OneValueIsEveryPercentile) {
  const auto statistics = summarize({upload(0, 0.1)}, run_of(1)).overall.duration_ms;
  ASSERT_TRUE(statistics);
  EXPECT_EQ(statistics->mean, 0.1);
  EXPECT_EQ(statistics->stddev, 0);
  for (const double percentile : statistics->percentiles) EXPECT_EQ(percentile, 0.1);
}

TEST(SummaryBuilder, PercentilesAreRoundedOnce) {
  // The median of 0.1 and 0.2 ms is 0.15, not the 0.15000000000000002 of doubles.
  const auto statistics = summarize({upload(0, 0.1), upload(0, 0.2)}, run_of(1)).overall.duration_ms;
  ASSERT_TRUE(statistics);
  EXPECT_EQ(statistics->percentile(500), 0.15);
}

TEST(SummaryBuilder, GroupWithoutSuccessHasCountsOnly) {
  const RunSummary summary = summarize({upload(0, 5, false), upload(0, 6, false)}, run_of(1));
  const GroupSummary& group = summary.by_operation.at("upload");
  EXPECT_EQ(group.operations.total, 2U);
  EXPECT_EQ(group.operations.success_rate(), 0);
  EXPECT_EQ(group.duration_ms, std::nullopt);
  EXPECT_EQ(group.throughput_mbps, std::nullopt);
  EXPECT_EQ(group.response_time_ms, std::nullopt);
  EXPECT_EQ(group.object_size_bytes->total, 2U << 20);
  EXPECT_EQ(group.requests_per_second, 2);
  EXPECT_EQ(summary.overall, group);
}

TEST(SummaryBuilder, ThroughputAsGivenElseByDefinition) {
  OperationMetric given = upload(0, 500);  // 2 MiB/s
  given.throughput_mbps = 7.25;
  OperationMetric minus_zero = upload(0, 500);
  minus_zero.throughput_mbps = -0.0;
  OperationMetric useless = upload(0, 250);  // 4 MiB/s
  useless.throughput_mbps = std::numeric_limits<double>::quiet_NaN();
  OperationMetric empty = upload(0, 500);
  empty.object_size_bytes = 0;
  empty.throughput_mbps = 100;
  OperationMetric instant = upload(0, 0);
  OperationMetric failed = upload(0, 1, false);
  const auto statistics =
      summarize({given, minus_zero, useless, upload(0, 500), empty, instant, failed}, run_of(1))
          .overall.throughput_mbps;
  ASSERT_TRUE(statistics);
  EXPECT_EQ(statistics->count, 4U);
  EXPECT_EQ(statistics->min, 0);
  EXPECT_FALSE(std::signbit(statistics->min));
  EXPECT_EQ(statistics->max, 7.25);
  EXPECT_EQ(statistics->mean, 13.25 / 4);
  EXPECT_EQ(statistics->percentile(500), 3);
  EXPECT_EQ(statistics->percentile(750), 4 + (7.25 - 4) * 0.25);
  EXPECT_DOUBLE_EQ(statistics->stddev,
                   std::sqrt((3.3125 * 3.3125 + 1.3125 * 1.3125 + 0.6875 * 0.6875 + 3.9375 * 3.9375) / 3));
}

TEST(SummaryBuilder, SizesAreOfAllOperations) {
  OperationMetric small = upload(0, 1);
  small.object_size_bytes = 0;
  OperationMetric large = upload(0, 1, false);
  large.object_size_bytes = 1000;
  const auto sizes = summarize({small, large, large}, run_of(1)).overall.object_size_bytes;
  EXPECT_EQ(sizes, (SizeStatistics{0, 1000, 2000.0 / 3, 2000}));
}

TEST(SummaryBuilder, TotalOfSizesSaturates) {
  OperationMetric huge = upload(0, 1);
  huge.object_size_bytes = std::uint64_t{1} << 63;
  const auto sizes = summarize({huge, huge, huge}, run_of(1)).overall.object_size_bytes;
  EXPECT_EQ(sizes->total, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(sizes->mean, 0x1p63);
}

TEST(SummaryBuilder, ResponseTimeIsFromTheIntendedStart) {
  OperationMetric late = upload(1, 100);
  late.timestamp_end = at_seconds(1.1);
  late.intended_start = at_seconds(0.5);
  OperationMetric early = late;
  early.intended_start = at_seconds(3);
  OperationMetric failed = late;
  failed.success = false;
  OperationMetric endless = late;
  endless.timestamp_end.reset();
  const auto response =
      summarize({late, early, failed, endless, upload(0, 1)}, run_of(1)).overall.response_time_ms;
  ASSERT_TRUE(response);
  EXPECT_EQ(response->count, 2U);
  EXPECT_EQ(response->min, 0);
  EXPECT_EQ(response->max, 600);
}

TEST(SummaryBuilder, ByOperationIsOverAllWorkloads) {
  OperationMetric rbd = upload(0, 30);
  rbd.workload_type = "rbd";
  OperationMetric list = upload(0, 50);
  list.operation_type = "list";
  const RunSummary summary = summarize({upload(0, 10), rbd, list}, run_of(1));
  ASSERT_EQ(summary.by_operation.size(), 2U);
  EXPECT_EQ(summary.by_operation.at("upload").duration_ms->mean, 20);
  EXPECT_EQ(summary.by_operation.at("list").duration_ms->mean, 50);
  EXPECT_EQ(summary.overall.duration_ms->mean, 30);
  ASSERT_EQ(summary.windows.size(), 3U);
  EXPECT_EQ(summary.windows[0].operation_type, "list");
  EXPECT_EQ(summary.windows[1].workload_type, "rbd");
  EXPECT_EQ(summary.windows[2].workload_type, "s3");
}

TEST(SummaryBuilder, ErrorsByCode) {
  OperationMetric slow = upload(0, 1, false);
  slow.error_code = "SlowDown";
  OperationMetric fine = upload(0, 1);
  fine.error_code = "ignored";
  const RunSummary summary = summarize({slow, slow, upload(0, 1, false), fine}, run_of(1));
  EXPECT_EQ(summary.errors_by_code, (std::map<std::string, std::uint64_t>{{"SlowDown", 2}, {"unknown", 1}}));
}

TEST(SummaryBuilder, TimesOfTheRunComeFromTheOperationsWhereItHasNone) {
  OperationMetric ends = upload(0, 2000);
  ends.timestamp_start.reset();
  ends.timestamp_end = at_seconds(1);  // began at -1
  OperationMetric timeless = upload(0, 1);
  timeless.timestamp_start.reset();
  const std::vector<OperationMetric> operations{upload(0.5, 2500), ends, timeless};

  RunSummary summary = summarize(operations, kUntold);
  EXPECT_EQ(summary.start_time, at_seconds(-1));
  EXPECT_EQ(summary.end_time, at_seconds(3));
  EXPECT_EQ(summary.duration_seconds, 4);
  EXPECT_EQ(summary.overall.operations.total, 3U);

  metricsd::Run open = run_of(0);
  open.end_time.reset();
  summary = summarize(operations, open);
  EXPECT_EQ(summary.start_time, at_seconds(0));
  EXPECT_EQ(summary.duration_seconds, 3);
}

TEST(SummaryBuilder, WithoutAnyTimeThereAreNoWindowsAndNoRates) {
  OperationMetric timeless = upload(0, 1);
  timeless.timestamp_start.reset();
  const RunSummary summary = summarize({timeless}, kUntold);
  EXPECT_EQ(summary.start_time, std::nullopt);
  EXPECT_EQ(summary.duration_seconds, 0);
  EXPECT_EQ(summary.overall.requests_per_second, std::nullopt);
  EXPECT_EQ(summary.overall.duration_ms->count, 1U);
  EXPECT_TRUE(summary.windows.empty());
}

TEST(SummaryBuilder, ARunThatEndsBeforeItsStartHasNoLength) {
  const RunSummary summary = summarize({upload(0, 1)}, run_of(-5));
  EXPECT_EQ(summary.duration_seconds, 0);
  EXPECT_EQ(summary.overall.requests_per_second, std::nullopt);
}

TEST(SummaryBuilder, TimesCountInMicroseconds) {
  OperationMetric operation = upload(0, 1);
  operation.timestamp_start->ns += 999;
  operation.timestamp_end = Timestamp{kStart + 5'000'000 + 1};
  operation.intended_start = Timestamp{kStart + 3'000'000 + 999};
  metricsd::Run run = run_of(1);
  run.start_time->ns += 500;
  run.end_time->ns += 999;
  const RunSummary summary = summarize({operation}, run);
  EXPECT_EQ(summary.start_time, at_seconds(0));
  EXPECT_EQ(summary.duration_seconds, 1);
  EXPECT_EQ(summary.overall.response_time_ms->mean, 2);
  ASSERT_EQ(summary.windows.size(), 1U);
  EXPECT_EQ(summary.windows[0].window_start, at_seconds(0));
}

TEST(SummaryBuilder, WindowsAreAlignedToTheStartOfTheRun) {
  const RunSummary summary = summarize(
      {upload(25, 4), upload(10, 2), upload(9.999999, 1), upload(19.999999, 3), upload(-0.000001, 7)},
      run_of(27.5));
  ASSERT_EQ(summary.windows.size(), 4U);
  const std::vector<double> starts{-10, 0, 10, 20};
  const std::vector<double> lengths{10, 10, 10, 7.5};
  const std::vector<double> means{7, 1, 2.5, 4};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(summary.windows[i].window_start, at_seconds(starts[i]));
    EXPECT_EQ(summary.windows[i].window_seconds, lengths[i]);
    EXPECT_EQ(summary.windows[i].group.duration_ms->mean, means[i]);
  }
  EXPECT_EQ(summary.windows[2].group.requests_per_second, 0.2);
  EXPECT_EQ(summary.windows[3].group.requests_per_second, 1 / 7.5);
}

TEST(SummaryBuilder, AWindowAfterTheEndOfTheRunHasNoRate) {
  const RunSummary summary = summarize({upload(5, 1), upload(10, 1), upload(42, 1)}, run_of(10));
  ASSERT_EQ(summary.windows.size(), 3U);
  EXPECT_EQ(summary.windows[0].window_seconds, 10);
  EXPECT_EQ(summary.windows[1].window_seconds, 0);
  EXPECT_EQ(summary.windows[1].group.requests_per_second, std::nullopt);
  EXPECT_EQ(summary.windows[2].group.operations.total, 1U);
}

TEST(SummaryBuilder, WindowsOfAnyLength) {
  SummaryBuilder::Options options;
  options.window_seconds = 0.25;
  EXPECT_EQ(summarize({upload(0.3, 1)}, run_of(10), options).windows[0].window_start, at_seconds(0.25));
  for (const double odd : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    options.window_seconds = odd;
    EXPECT_EQ(summarize({upload(0.3, 1)}, run_of(10), options).windows[0].window_seconds, 1e-6);
  }
  options.window_seconds = std::numeric_limits<double>::infinity();
  EXPECT_EQ(summarize({upload(0.3, 1)}, run_of(10), options).windows[0].window_seconds, 10);
}

TEST(SummaryBuilder, TooManyWindowsDouble) {
  std::vector<OperationMetric> operations;
  for (std::size_t i = 0; i < limits::kWindows; ++i)
    operations.push_back(upload(static_cast<double>(i) * 10, 1));
  RunSummary summary = summarize(operations, run_of(1e6));
  EXPECT_EQ(summary.windows.size(), limits::kWindows);
  EXPECT_EQ(summary.windows[0].window_seconds, 10);

  operations.push_back(upload(-1, 1));
  summary = summarize(operations, run_of(1e6));
  EXPECT_EQ(summary.windows.size(), limits::kWindows / 2 + 1);
  EXPECT_EQ(summary.windows[0].window_start, at_seconds(-20));
  EXPECT_EQ(summary.windows[1].window_seconds, 20);
  EXPECT_EQ(summary.windows[1].group.operations.total, 2U);
}

TEST(SummaryBuilder, AClockThatIsYearsAheadDoesNotChangeTheWindows) {
  constexpr double kTwoYears = 2 * 365 * 86'400.0;
  const RunSummary summary = summarize({upload(1, 1), upload(kTwoYears, 1)}, run_of(10));
  ASSERT_EQ(summary.windows.size(), 2U);
  EXPECT_EQ(summary.windows[0].window_seconds, 10);
}

TEST(SummaryBuilder, RowsOfWindowsAreLimitedToo) {
  constexpr std::size_t kGroups = 200;
  constexpr std::size_t kWindowsEach = 2 * limits::kWindowRows / kGroups;
  std::vector<OperationMetric> operations;
  for (std::size_t window = 0; window < kWindowsEach; ++window) {
    for (std::size_t group = 0; group < kGroups; ++group) {
      operations.push_back(upload(static_cast<double>(window) * 10, 1, false));
      operations.back().workload_type = std::to_string(group);
    }
  }
  const RunSummary summary = summarize(operations, run_of(1e6));
  EXPECT_EQ(summary.windows.size(), limits::kWindowRows);
  EXPECT_EQ(summary.windows[0].window_seconds, 20);
}

TEST(SummaryBuilder, TooManyTypesFold) {
  std::vector<OperationMetric> operations;
  for (std::size_t i = 0; i < limits::kSummaryGroups + 3; ++i) {
    operations.push_back(upload(0, 1));
    operations.back().operation_type = "type" + std::to_string(i);
  }
  operations.push_back(operations.front());
  const RunSummary summary = summarize(operations, run_of(1));
  EXPECT_EQ(summary.by_operation.size(), limits::kSummaryGroups + 1);
  EXPECT_EQ(summary.by_operation.at(std::string(kOverflowLabel)).operations.total, 3U);
  EXPECT_EQ(summary.by_operation.at("type0").operations.total, 2U);
  EXPECT_EQ(summary.overall.operations.total, operations.size());
}

TEST(SummaryBuilder, TooManyErrorCodesFold) {
  std::vector<OperationMetric> operations;
  for (std::size_t i = 0; i < limits::kSummaryErrorCodes + 3; ++i) {
    operations.push_back(upload(0, 1, false));
    operations.back().error_code = std::to_string(i);
  }
  operations.push_back(operations.front());
  const RunSummary summary = summarize(operations, run_of(1));
  EXPECT_EQ(summary.errors_by_code.size(), limits::kSummaryErrorCodes + 1);
  EXPECT_EQ(summary.errors_by_code.at(std::string(kOverflowLabel)), 3U);
  EXPECT_EQ(summary.errors_by_code.at("0"), 2U);
}

TEST(SummaryBuilder, TakesAnyValues) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  std::vector<OperationMetric> operations;
  for (const std::int64_t moment : {kLeast, std::int64_t{-1}, std::int64_t{0}, kStart, kMost}) {
    for (const std::int64_t duration : {kLeast, std::int64_t{-1}, std::int64_t{0}, kMost}) {
      OperationMetric operation;
      operation.timestamp_end = Timestamp{moment};
      operation.intended_start = Timestamp{-(moment + 1)};
      operation.duration_ns = duration;
      operation.object_size_bytes = std::numeric_limits<std::uint64_t>::max();
      operation.throughput_mbps = std::numeric_limits<double>::max();
      operations.push_back(operation);
      operation.timestamp_end.reset();
      operation.timestamp_start = Timestamp{moment};
      operations.push_back(operation);
    }
  }
  const support::TemporaryDirectory directory;
  for (const metricsd::Run& run : {kUntold, run_of(1)}) {
    const RunSummary summary = summarize(operations, run);
    for (const std::size_t memory_bytes : {0UL, 500UL}) {
      EXPECT_TRUE(summarize(operations, run, {memory_bytes, directory.path(), 10}) == summary)
          << memory_bytes;
    }
    EXPECT_EQ(summary.overall.operations.total, operations.size());
    EXPECT_EQ(summary.overall.object_size_bytes->max, std::numeric_limits<std::uint64_t>::max() - 1);
    EXPECT_FALSE(summary.windows.empty());
  }
}

// Operations of several types, in no order, with and without each optional field.
std::vector<OperationMetric> random_operations(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto one_in = [&](unsigned n) { return random() % n == 0; };
  std::vector<OperationMetric> operations(count);
  for (OperationMetric& operation : operations) {
    operation.operation_type = std::string(1, static_cast<char>('a' + random() % 5));
    operation.workload_type = one_in(2) ? "s3" : "";
    const double start = one_in(500) ? -1e5 : static_cast<double>(random() % 3'600'000) / 1000;
    operation.duration_ns = static_cast<std::int64_t>((random() >> 30) >> random() % 34);
    if (!one_in(10)) operation.timestamp_start = at_seconds(start);
    if (!one_in(10)) operation.timestamp_end = Timestamp{at_seconds(start).ns + operation.duration_ns};
    if (one_in(2)) operation.intended_start = at_seconds(start - 0.25);
    if (one_in(3)) operation.throughput_mbps = std::ldexp(static_cast<double>(random()), -60);
    operation.object_size_bytes = one_in(5) ? 0 : random() >> 11 >> random() % 53;
    operation.success = !one_in(4);
    if (one_in(2)) operation.error_code = std::to_string(random() % 20);
  }
  return operations;
}

TEST(SummaryBuilder, LittleMemoryGivesTheSame) {
  const support::TemporaryDirectory directory;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const std::vector<OperationMetric> operations = random_operations(3000, seed);
    const metricsd::Run run = seed % 2 == 0 ? run_of(3500) : kUntold;
    const RunSummary in_memory = summarize(operations, run);
    EXPECT_GT(in_memory.windows.size(), 1000U);
    for (const std::size_t memory_bytes : {0UL, 10'000UL, 60'000UL}) {
      const SummaryBuilder::Options options{memory_bytes, directory.path(), 10};
      EXPECT_TRUE(summarize(operations, run, options) == in_memory) << seed << " " << memory_bytes;
    }
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(SummaryBuilder, LittleMemoryGivesTheSameOfMoreThanAreEverCollected) {
  const support::TemporaryDirectory directory;
  const std::vector<OperationMetric> operations = random_operations(60'000, 5);
  const SummaryBuilder::Options options{100'000, directory.path(), 1000};
  const SummaryBuilder::Options plenty{std::size_t{64} << 20, directory.path(), 1000};
  EXPECT_TRUE(summarize(operations, kUntold, options) == summarize(operations, kUntold, plenty));
}

// The file keeps a column in 4 bytes a value where that is enough; 2^32 - 1 no longer is.
TEST(SummaryBuilder, ValuesAroundFourBytesComeBackFromTheFile) {
  const support::TemporaryDirectory directory;
  constexpr std::int64_t kFourBytes = std::int64_t{1} << 32;
  std::vector<OperationMetric> operations;
  for (const std::int64_t value :
       {kFourBytes - 3, kFourBytes - 2, kFourBytes - 1, kFourBytes, kFourBytes + 1}) {
    operations.push_back(upload(0, 0));
    operations.back().duration_ns = value;
    operations.back().object_size_bytes = static_cast<std::uint64_t>(value);
    operations.back().timestamp_end = Timestamp{kStart + value};
    operations.back().intended_start = Timestamp{kStart};
  }
  for (std::size_t count = 1; count <= operations.size(); ++count) {
    const std::vector<OperationMetric> first(operations.begin(),
                                             operations.begin() + static_cast<std::ptrdiff_t>(count));
    const RunSummary in_memory = summarize(first, run_of(10));
    EXPECT_EQ(in_memory.overall.object_size_bytes->max, operations[count - 1].object_size_bytes);
    for (const std::size_t memory_bytes : {0UL, 100UL}) {
      EXPECT_TRUE(summarize(first, run_of(10), {memory_bytes, directory.path(), 10}) == in_memory) << count;
    }
  }
}

TEST(SummaryBuilder, ColumnsThatNoOperationHasComeBackFromTheFile) {
  const support::TemporaryDirectory directory;
  std::vector<OperationMetric> operations;
  for (int i = 0; i < 100; ++i) {
    operations.push_back(upload(i, i, i % 2 == 0));
    operations.back().timestamp_start.reset();
    operations.back().object_size_bytes = 0;
  }
  const RunSummary in_memory = summarize(operations, run_of(10));
  EXPECT_EQ(in_memory.overall.throughput_mbps, std::nullopt);
  EXPECT_TRUE(in_memory.windows.empty());
  EXPECT_TRUE(summarize(operations, run_of(10), {1000, directory.path(), 10}) == in_memory);
}

// Enough of each kind that they are counted rather than held.
TEST(SummaryBuilder, ManyEqualDurations) {
  const support::TemporaryDirectory directory;
  constexpr int kMany = 20'000;
  for (const std::int64_t extreme : {std::int64_t{0}, limits::kDurationNs}) {
    std::vector<OperationMetric> operations(kMany, upload(0, 5));
    for (OperationMetric& operation : operations) operation.duration_ns = extreme;
    const double ms = static_cast<double>(extreme) / 1e6;
    const auto statistics = summarize(operations, run_of(1)).overall.duration_ms;
    ASSERT_TRUE(statistics);
    EXPECT_EQ(statistics->mean, ms);
    EXPECT_EQ(statistics->stddev, 0);
    for (const double percentile : statistics->percentiles) EXPECT_EQ(percentile, ms);

    operations.push_back(upload(0, 5));
    const RunSummary with_another = summarize(operations, run_of(1));
    EXPECT_EQ(with_another.overall.duration_ms->percentile(500), ms);
    EXPECT_TRUE(summarize(operations, run_of(1), {100'000, directory.path(), 10}) == with_another);
  }
}

TEST(SummaryBuilder, TypesOfTheSameLengthThatAlternate) {
  std::vector<OperationMetric> operations;
  for (int i = 0; i < 999; ++i) {
    operations.push_back(upload(0, i % 3 + 1));
    operations.back().operation_type = std::string("type") + static_cast<char>('a' + i % 3);
  }
  const RunSummary summary = summarize(operations, run_of(1));
  ASSERT_EQ(summary.by_operation.size(), 3U);
  EXPECT_EQ(summary.by_operation.at("typea").duration_ms->max, 1);
  EXPECT_EQ(summary.by_operation.at("typeb").duration_ms->mean, 2);
  EXPECT_EQ(summary.by_operation.at("typec").duration_ms->min, 3);
  for (const auto& [name, group] : summary.by_operation) EXPECT_EQ(group.operations.total, 333U);
}

TEST(SummaryBuilder, OrderDoesNotMatter) {
  std::vector<OperationMetric> operations = random_operations(2000, 9);
  const RunSummary summary = summarize(operations, kUntold);
  std::reverse(operations.begin(), operations.end());
  EXPECT_TRUE(summarize(operations, kUntold) == summary);
}

TEST(SummaryBuilder, GroupsAndWindowsAddUp) {
  const RunSummary summary = summarize(random_operations(5000, 10), kUntold);
  std::uint64_t by_operation = 0;
  for (const auto& [name, group] : summary.by_operation) by_operation += group.operations.total;
  EXPECT_EQ(by_operation, 5000U);
  std::uint64_t errors = 0;
  for (const auto& [code, count] : summary.errors_by_code) errors += count;
  EXPECT_EQ(errors, summary.overall.operations.failed());
  std::uint64_t in_windows = 0;
  for (const WindowSummary& window : summary.windows) {
    EXPECT_GT(window.group.operations.total, 0U);
    in_windows += window.group.operations.total;
  }
  EXPECT_LT(in_windows, 5000U);  // those without any time are in none
  EXPECT_GT(in_windows, 4800U);
}

TEST(SummaryBuilder, PercentilesEqualThoseOfSortedValues) {
  const std::vector<OperationMetric> operations = random_operations(4321, 11);
  std::vector<std::uint64_t> ns;
  for (const OperationMetric& operation : operations) {
    if (operation.success) ns.push_back(static_cast<std::uint64_t>(operation.duration_ns));
  }
  std::sort(ns.begin(), ns.end());
  const auto statistics = summarize(operations, kUntold).overall.duration_ms;
  ASSERT_TRUE(statistics);
  EXPECT_EQ(statistics->count, ns.size());
  for (const Percentile& percentile : kPercentiles) {
    const std::uint64_t h = (ns.size() - 1) * percentile.per_mille;
    const std::uint64_t low = ns[h / 1000];
    const std::uint64_t high = ns[std::min(h / 1000 + 1, ns.size() - 1)];
    const long double exact = static_cast<long double>(low) + static_cast<long double>(high - low) *
                                                                  static_cast<long double>(h % 1000) / 1000;
    EXPECT_DOUBLE_EQ(statistics->percentile(percentile.per_mille), static_cast<double>(exact / 1e6L));
  }
}

// Of few values the ranks that percentiles ask for overlap in every way there is.
TEST(SummaryBuilder, PercentilesOfFewValuesEqualThoseOfSortedValues) {
  std::mt19937 random(11);
  for (std::uint64_t count = 1; count <= 1100; count += count < 130 ? 1 : 97) {
    std::vector<OperationMetric> operations;
    std::vector<double> sorted;
    for (std::uint64_t i = 0; i < count; ++i) {
      sorted.push_back(static_cast<double>(random() % 10'000));
      operations.push_back(upload(0, sorted.back()));
    }
    std::sort(sorted.begin(), sorted.end());
    const RunSummary summary = summarize(operations, run_of(10));
    for (const Percentile& percentile : kPercentiles) {
      const double h = static_cast<double>((count - 1) * percentile.per_mille) / 1000;
      const auto low = static_cast<std::size_t>(h);
      const double high = sorted[std::min<std::size_t>(low + 1, sorted.size() - 1)];
      ASSERT_NEAR(summary.overall.duration_ms->percentile(percentile.per_mille),
                  sorted[low] + (high - sorted[low]) * (h - static_cast<double>(low)), 1e-6)
          << count << " values, " << percentile.name;
    }
  }
}

TEST(SummaryBuilder, SaysThatItCannotSpill) {
  const support::TemporaryDirectory directory;
  SummaryBuilder builder({0, directory.path() / "missing", 10});
  ASSERT_TRUE(builder.add(upload(0, 1)));
  const Result<> added = builder.add(upload(0, 2));
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error(), boost::system::errc::no_such_file_or_directory);
  // The one that was taken is still there.
  const auto summary = builder.finish(run_of(1), {});
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->overall.operations.total, 1U);
}

TEST(SummaryBuilder, GoesOnWhereADiskThatWasFullHasRoomAgain) {
  const support::TemporaryDirectory directory;
  const std::vector<OperationMetric> operations = random_operations(1000, 12);
  SummaryBuilder builder({10'000, directory.path(), 10});
  std::size_t taken = 0;
  {
    const support::FileSizeLimit limit(30'000);
    while (taken < operations.size() && builder.add(operations[taken])) ++taken;
    ASSERT_LT(taken, operations.size());
    EXPECT_EQ(builder.add(operations[taken]).error(), boost::system::errc::file_too_large);
  }
  for (; taken < operations.size(); ++taken) ASSERT_TRUE(builder.add(operations[taken]));
  const auto summary = builder.finish(kUntold, {});
  ASSERT_TRUE(summary);
  EXPECT_TRUE(*summary == summarize(operations, kUntold));
}

}  // namespace
}  // namespace metricsd
