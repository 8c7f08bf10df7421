#include "live_runs.h"

#include "live_runs_json.h"

#include <metricsd/models/json/document.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/operation.h>
#include <metricsd/support/manual_clock.h>

#include <string>
#include <vector>

#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

Run run_of(std::string id) {
  Run run;
  run.test_run_id = std::move(id);
  run.test_name = "test";
  return run;
}

Moment second(std::int64_t s) {
  return {{(1'767'225'600 + s) * kNsPerSecond}, s * kNsPerSecond};
}

OperationMetric operation(std::string type, std::int64_t duration_ms, bool success = true) {
  OperationMetric metric;
  metric.operation_type = std::move(type);
  metric.duration_ns = duration_ms * kNsPerMs;
  metric.object_size_bytes = 100;
  metric.success = success;
  return metric;
}

LiveRun& join(LiveRuns& runs, const std::string& id, const Moment& now) {
  return runs.join(run_of(id), now);
}

void leave(LiveRuns& runs, const std::string& kept_id, const Moment& now) {
  runs.leave(runs.at(kept_id, now), now);
}

void apply(LiveRuns& runs, const std::string& kept_id, const OperationMetric& operation, const Moment& now) {
  const LivePlace place =
      runs.at(kept_id, now)
          .place(operation.operation_type, operation.success, error_code_or_unknown(operation.error_code));
  const auto duration_ns = static_cast<std::uint64_t>(operation.duration_ns);
  OperationTally tally;
  tally.durations_ns.apply(duration_ns);
  tally.sizes.apply(operation.object_size_bytes);
  if (operation.success) {
    const double seconds = static_cast<double>(duration_ns) / kNsPerSecond;
    place.operation->put_duration(seconds > 0 ? FineIndex::table().of(seconds) : FineIndex::kZero);
  }
  place.add(tally, now);
}

TEST(LiveRuns, SummarizesARun) {
  LiveRuns runs;
  join(runs, "r", second(0));
  for (int i = 1; i <= 1000; ++i) apply(runs, "r", operation("upload", i), second(5));
  apply(runs, "r", operation("upload", 99'999, false), second(10));

  const RunSummary summary = runs.find("r")->summary(second(10));
  EXPECT_EQ(summary.method, SummaryMethod::exponential_histogram);
  EXPECT_EQ(summary.test_run_id, "r");
  EXPECT_FALSE(summary.end_time);  // it goes on
  EXPECT_EQ(summary.duration_seconds, 10);
  EXPECT_EQ(summary.overall.operations.total, 1001U);
  EXPECT_EQ(summary.overall.operations.failed(), 1U);
  EXPECT_DOUBLE_EQ(summary.overall.requests_per_second.value(), 100.1);
  EXPECT_EQ(summary.errors_by_code.at("unknown"), 1U);

  const Statistics& duration = summary.by_operation.at("upload").duration_ms.value();
  EXPECT_EQ(duration.count, 1000U);
  EXPECT_EQ(duration.min, 1);
  EXPECT_EQ(duration.max, 1000);  // the failure is not among them
  EXPECT_EQ(duration.mean, 500.5);
  EXPECT_NEAR(duration.stddev, 288.8194, 1e-3);
  EXPECT_NEAR(duration.percentile(500), 500.5, 500.5 * 0.0035);
  EXPECT_NEAR(duration.percentile(990), 990.01, 990.01 * 0.0035);
  EXPECT_LE(duration.percentile(999), 1000);
  EXPECT_EQ(summary.by_operation.at("upload").object_size_bytes->total, 100'100U);
  EXPECT_EQ(summary.by_operation.at("upload").bytes_transferred, 100'000U);  // nor its bytes
  EXPECT_EQ(summary.overall.bytes_transferred, 100'000U);
}

TEST(LiveRuns, TheRateOfARunThatGoesOnFallsInSilence) {
  support::ManualClock clock;
  const auto now = [&] { return Moment{clock.now(), clock.monotonic_ns()}; };
  LiveRuns runs;
  join(runs, "r", now());
  clock.advance(kNsPerMs);
  for (int i = 0; i < 100; ++i) {
    apply(runs, "r", operation("upload", 1), now());
    apply(runs, "", operation("upload", 1), now());  // plain senders start nothing and end nothing
  }
  clock.advance(kNsPerSecond - kNsPerMs);
  EXPECT_DOUBLE_EQ(runs.find("r")->summary(now()).overall.requests_per_second.value(), 100);
  clock.advance(3 * kNsPerSecond);
  EXPECT_DOUBLE_EQ(runs.find("r")->summary(now()).by_operation.at("upload").requests_per_second.value(), 25);
  leave(runs, "r", now());
  clock.advance(kNsPerMs);
  const RunSummary plain = runs.find("")->summary(now());
  EXPECT_EQ(plain.duration_seconds, 4);
  EXPECT_DOUBLE_EQ(plain.overall.requests_per_second.value(), 25);
  EXPECT_FALSE(plain.end_time);

  clock.advance(100 * kNsPerSecond);
  const RunSummary ended = runs.find("r")->summary(now());
  EXPECT_EQ(ended.duration_seconds, 4);
  EXPECT_DOUBLE_EQ(ended.overall.requests_per_second.value(), 25);
  EXPECT_TRUE(ended.end_time);
}

TEST(LiveRuns, OnlyFailuresHaveNoDurations) {
  LiveRuns runs;
  apply(runs, "", operation("upload", 5, false), second(0));
  const RunSummary summary = runs.find("")->summary(second(0));
  EXPECT_FALSE(summary.overall.duration_ms);
  EXPECT_FALSE(summary.overall.requests_per_second);  // no time has passed
  EXPECT_TRUE(summary.overall.object_size_bytes);
}

TEST(LiveRuns, OperationTypesAndCodesAreBounded) {
  LiveRuns runs;
  for (std::size_t i = 0; i < limits::kLiveOperations + 10; ++i) {
    OperationMetric metric = operation("type-" + std::to_string(i), 1, false);
    metric.error_code = "code-" + std::to_string(i);
    apply(runs, "", metric, second(0));
  }
  const RunSummary summary = runs.find("")->summary(second(0));
  EXPECT_EQ(summary.by_operation.size(), limits::kLiveOperations + 1);
  EXPECT_EQ(summary.by_operation.at("__overflow__").operations.total, 10U);
  EXPECT_EQ(summary.errors_by_code.at("__overflow__"), 10U);
  EXPECT_EQ(summary.overall.operations.total, limits::kLiveOperations + 10);
}

TEST(LiveRuns, EndedRunsMakeRoomTheLongestSilentFirst) {
  LiveRuns runs;
  for (std::size_t i = 0; i < limits::kLiveRuns; ++i) join(runs, "r" + std::to_string(i), second(0));
  leave(runs, "r5", second(100));
  leave(runs, "r7", second(90));
  EXPECT_EQ(join(runs, "new", second(101)).run.test_run_id, "new");
  EXPECT_EQ(runs.find("r7"), nullptr);
  EXPECT_NE(runs.find("r5"), nullptr);
  EXPECT_EQ(join(runs, "r5", second(102)).run.test_run_id, "r5");  // one that ended may go on
  EXPECT_TRUE(runs.find("r5")->is_live());
  EXPECT_EQ(runs.runs().size(), limits::kLiveRuns);
}

TEST(LiveRuns, ALiveRunIsNeverDrivenOut) {
  constexpr std::size_t kMore = 5;
  constexpr std::uint64_t kRounds = 10;
  LiveRuns runs;
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < limits::kLiveRuns + kMore; ++i) {
    kept.push_back(join(runs, "r" + std::to_string(i), second(0)).run.test_run_id);
  }
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    for (const std::string& id : kept) apply(runs, id, operation("upload", 1), second(1));
    apply(runs, "", operation("upload", 1), second(1));
  }
  for (std::size_t i = 0; i < limits::kLiveRuns; ++i) {
    const LiveRun* run = runs.find("r" + std::to_string(i));
    ASSERT_NE(run, nullptr);
    EXPECT_EQ(run->counts.total, kRounds);
    EXPECT_EQ(run->connections, 1U);
  }
  EXPECT_EQ(runs.find("")->counts.total, kRounds);  // plain senders take nobody's place, nobody takes theirs
  EXPECT_EQ(runs.find("__overflow__")->counts.total, kMore * kRounds);
  EXPECT_EQ(runs.find("__overflow__")->connections, kMore);
  EXPECT_EQ(runs.find("r16"), nullptr);
}

TEST(LiveRuns, WhoJoinedTheOverflowLeavesTheOverflow) {
  LiveRuns runs;
  for (std::size_t i = 0; i < limits::kLiveRuns; ++i) join(runs, "r" + std::to_string(i), second(0));
  LiveRun& early = join(runs, "late", second(1));
  EXPECT_EQ(early.run.test_run_id, "__overflow__");
  leave(runs, "r0", second(2));
  EXPECT_EQ(join(runs, "late", second(3)).run.test_run_id, "late");
  runs.leave(early, second(4));
  EXPECT_TRUE(runs.find("late")->is_live());
  EXPECT_FALSE(runs.find("__overflow__")->is_live());
}

TEST(LiveRuns, NewestIsTheOneFirstHeardOfLast) {
  LiveRuns runs;
  EXPECT_EQ(runs.newest(), nullptr);
  join(runs, "z", second(0));
  join(runs, "a", second(1));
  apply(runs, "z", operation("upload", 1), second(9));
  EXPECT_EQ(runs.newest()->run.test_run_id, "a");
}

TEST(LiveRuns, MergingShardsIsSeeingAllInOne) {
  LiveRuns a;
  LiveRuns b;
  LiveRuns all;
  for (int i = 0; i < 100; ++i) {
    LiveRuns& shard = i % 2 == 0 ? a : b;
    apply(shard, "r", operation("upload", i), second(i));
    apply(all, "r", operation("upload", i), second(i));
  }
  apply(b, "only b", operation("upload", 1), second(200));
  a.merge(b);
  const RunSummary merged = a.find("r")->summary(second(300));
  const RunSummary whole = all.find("r")->summary(second(300));
  EXPECT_EQ(merged.duration_seconds, whole.duration_seconds);
  EXPECT_EQ(merged.overall.operations.total, 100U);
  EXPECT_EQ(merged.overall.duration_ms->percentiles, whole.overall.duration_ms->percentiles);
  EXPECT_EQ(merged.overall.duration_ms->stddev, whole.overall.duration_ms->stddev);
  EXPECT_NE(a.find("only b"), nullptr);
}

TEST(LiveRuns, HeadsKnowTheRunsAndNothingOfTheirOperations) {
  LiveRuns runs;
  join(runs, "r", second(0));
  apply(runs, "r", operation("upload", 1), second(1));
  const LiveRuns heads = runs.heads();
  ASSERT_NE(heads.find("r"), nullptr);
  EXPECT_TRUE(heads.find("r")->is_live());
  EXPECT_EQ(heads.find("r")->run.test_name, "test");
  EXPECT_EQ(heads.find("r")->counts.total, 1U);
  EXPECT_TRUE(heads.find("r")->operations.empty());
}

TEST(LiveRuns, JsonListsThemInOrder) {
  LiveRuns runs;
  join(runs, "z", second(0));
  join(runs, "a", second(1));
  apply(runs, "a", operation("upload", 1, false), second(2));
  std::string text;
  render_runs_json(text, runs);
  const auto json = parse_json(text);
  ASSERT_TRUE(json) << text;
  const auto& list = json->at("runs").as_array();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].at("test_run_id").as_string(), "z");
  EXPECT_EQ(list[1].at("operations").at("failed").to_number<int>(), 1);
  EXPECT_TRUE(list[1].at("live").as_bool());
}

std::string saved(LiveRuns& runs, bool whole) {
  std::string bytes;
  StateWriter out(bytes);
  runs.save(out, whole);
  return bytes;
}

bool load(LiveRuns& into, std::string_view bytes) {
  StateReader in(bytes);
  into.load(in);
  return !in.failed() && in.at_end();
}

std::string summary_of(const LiveRuns& runs, const std::string& id, const Moment& now) {
  const RunSummary summary = runs.find(id)->summary(now);
  const Statistics& durations = summary.overall.duration_ms.value();
  return std::to_string(summary.overall.operations.total) + "/" + std::to_string(durations.count) + "/" +
         std::to_string(durations.mean) + "/" + std::to_string(durations.stddev) + "/" +
         std::to_string(durations.percentiles[3]) + "/" + std::to_string(summary.duration_seconds);
}

TEST(LiveRuns, ACopyKeepsInStepByWhatChanged) {
  LiveRuns runs;
  LiveRuns copy;
  join(runs, "a", second(1));
  join(runs, "b", second(2));
  for (int i = 1; i <= 100; ++i) apply(runs, "a", operation("upload", i), second(3));
  apply(runs, "b", operation("download", 5, false), second(3));
  ASSERT_TRUE(load(copy, saved(runs, true)));
  EXPECT_EQ(saved(runs, false).size(), 6U);  // two names, no run
  apply(runs, "a", operation("list", 7), second(4));
  ASSERT_TRUE(load(copy, saved(runs, false)));
  EXPECT_EQ(summary_of(copy, "a", second(9)), summary_of(runs, "a", second(9)));
  EXPECT_EQ(copy.find("b")->errors, runs.find("b")->errors);
  EXPECT_EQ(copy.find("b")->run.test_name, "test");
  EXPECT_EQ(copy.find("a")->connections, 1U);
}

TEST(LiveRuns, OneThatMadeRoomGoesFromTheCopyToo) {
  LiveRuns runs;
  LiveRuns copy;
  for (std::size_t i = 0; i < limits::kLiveRuns; ++i) {
    join(runs, std::to_string(i), second(1));
    leave(runs, std::to_string(i), second(static_cast<std::int64_t>(i)));
  }
  ASSERT_TRUE(load(copy, saved(runs, true)));
  join(runs, "new", second(100));
  ASSERT_TRUE(load(copy, saved(runs, false)));
  EXPECT_EQ(copy.find("0"), nullptr);
  EXPECT_NE(copy.find("new"), nullptr);
  EXPECT_EQ(copy.runs().size(), runs.runs().size());
}

// The time that no daemon ran is part of a run that goes on.
TEST(LiveRuns, TheNextLifeGoesOnFromThem) {
  LiveRuns left;
  join(left, "a", second(10));
  apply(left, "a", operation("upload", 5), second(20));
  LiveRuns runs;
  runs.restore(left, 30 * kNsPerSecond);
  EXPECT_FALSE(runs.find("a")->is_live());
  EXPECT_EQ(runs.find("a")->summary(second(20)).duration_seconds, 10);
  join(runs, "a", second(20));  // 30 seconds later, by everyone's clock but ours
  apply(runs, "a", operation("upload", 5), second(21));
  EXPECT_EQ(runs.find("a")->summary(second(22)).duration_seconds, 42);
  EXPECT_EQ(runs.find("a")->counts.total, 2U);
}

TEST(LiveRuns, OfManyShardsAsManyGoOnAsHaveRoom) {
  LiveRuns runs;
  for (std::size_t shard = 0; shard < 3; ++shard) {
    LiveRuns left;
    for (std::size_t i = 0; i < limits::kLiveRuns; ++i) {
      join(left, std::to_string(100 * shard + i), second(static_cast<std::int64_t>(100 * shard + i)));
    }
    runs.restore(left, 0);
  }
  EXPECT_EQ(runs.runs().size(), limits::kLiveRuns);
  EXPECT_NE(runs.newest(), nullptr);
  EXPECT_EQ(runs.newest()->run.test_run_id, "215");
}

TEST(LiveRuns, AnyBytesAreRead) {
  LiveRuns runs;
  join(runs, "a", second(1)).add_dropped("socket", "gap", 3);
  apply(runs, "a", operation("upload", 5), second(2));
  apply(runs, "a", operation("upload", 5, false), second(2));
  const std::string bytes = saved(runs, true);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    LiveRuns into;
    EXPECT_FALSE(load(into, std::string_view(bytes).substr(0, size))) << size;
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int flip = 1; flip < 256; ++flip) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      LiveRuns into;
      if (!load(into, damaged)) continue;
      for (const auto& [id, run] : into.runs()) (void)run.summary(second(5));
    }
  }
}

}  // namespace
}  // namespace metricsd::server
