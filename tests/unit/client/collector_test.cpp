// Runs of one process, through the public header: what they leave on disk and what they report.
#include "support/run_directory.h"

#include <metricsd/client/collector.h>
#include <metricsd/models/clock.h>
#include <metricsd/support/memory_limit.h>
#include <metricsd/support/sanitized.h>
#include <metricsd/support/temporary_directory.h>

#include <csignal>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

using std::chrono::milliseconds;
using testing::content_of;
using ::testing::HasSubstr;
using testing::operations_of;
using testing::total_of;

class CollectorTest : public ::testing::Test {
 protected:
  CollectorTest() { ::unsetenv("METRICSD_RUN_DIR"); }
  ~CollectorTest() override { ::unsetenv("METRICSD_RUN_DIR"); }

  [[nodiscard]] RunOptions options(std::string name = "test") const {
    return {
        .test_name = std::move(name), .export_dir = directory_.path() / "metrics", .send_to_daemon = false};
  }

  support::TemporaryDirectory directory_;
};

TEST_F(CollectorTest, LeavesEveryFileOfARun) {
  Collector run(options());
  ASSERT_TRUE(run) << run.error();
  run.record({.operation_type = "upload", .duration = milliseconds(100), .object_size_bytes = 1 << 20});
  run.time("download", "bucket/key", 10).failure("SlowDown", "please reduce your rate");
  const Report report = run.finish();
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.directory, run.directory());
  EXPECT_EQ(report.recorded, 2U);
  EXPECT_TRUE(report.dropped.empty());
  EXPECT_THAT(report.problems, ::testing::IsEmpty());
  EXPECT_THAT(report.warnings, ::testing::IsEmpty());
  EXPECT_THAT(report.table(), HasSubstr("upload"));
  for (const char* file :
       {"operations.jsonl", "operations.json", "operations.csv", "aggregated.json", "test_config.json"}) {
    EXPECT_NE(content_of(run.directory() / file), "") << file;
  }
  EXPECT_EQ(report.summary_json, content_of(run.directory() / "aggregated.json"));
  EXPECT_EQ(total_of(run.directory()), 2U);
}

TEST_F(CollectorTest, WritesRowsAsTheContractHasThem) {
  Collector run(options());
  run.record({.operation_type = "upload",
              .duration = milliseconds(500),
              .object_key = "k",
              .object_size_bytes = 1 << 20,
              .start = std::chrono::system_clock::time_point(std::chrono::seconds(1'000'000'000))});
  run.finish();
  const auto operations = operations_of(run.directory());
  ASSERT_EQ(operations.size(), 1U);
  EXPECT_EQ(operations[0].timestamp_start, Timestamp{1'000'000'000 * kNsPerSecond});
  EXPECT_EQ(operations[0].timestamp_end, Timestamp{1'000'000'000 * kNsPerSecond + 500 * kNsPerMs});
  EXPECT_EQ(operations[0].throughput_mbps, 2.0);
  EXPECT_THAT(operations[0].operation_id, ::testing::MatchesRegex("[0-9a-f]+-[01]-1"));
}

TEST_F(CollectorTest, DescribesTheRunAtOnce) {
  RunOptions with_all = options("nightly");
  with_all.test_run_id = "id-1";
  with_all.scenario = "mixed";
  with_all.num_users = 4;
  with_all.tags = R"({ "team" : "storage" })";
  Collector run(with_all);
  ASSERT_TRUE(run) << run.error();
  EXPECT_EQ(run.test_run_id(), "id-1");
  const std::string config = content_of(run.directory() / "test_config.json");
  EXPECT_THAT(config, HasSubstr(R"("end_time": null)"));
  EXPECT_THAT(config, HasSubstr("nightly"));
  EXPECT_THAT(config, HasSubstr("storage"));
  EXPECT_THAT(config, HasSubstr("cpu_count"));
  EXPECT_THAT(config, HasSubstr("library_version"));
  run.set_users(9);
  run.set_users(0);
  run.finish();
  const std::string finished = content_of(run.directory() / "test_config.json");
  EXPECT_THAT(finished, ::testing::Not(HasSubstr(R"("end_time": null)")));
  EXPECT_EQ(testing::number_in(finished, "num_users"), 9U);
}

TEST_F(CollectorTest, TimesOperations) {
  Collector run(options());
  const auto before = system_clock().now();
  {
    auto timer = run.time("upload", "k");
    timer.size(7).retries(2).user("u").metadata(R"({"a":1})");
    std::this_thread::sleep_for(milliseconds(2));
    timer.success();
    timer.failure("second call is nothing");
  }
  { auto forgotten = run.time("download"); }
  run.time("delete").cancel();
  auto moved = run.time("list");
  OperationTimer target = std::move(moved);
  target.success();
  run.finish();
  const auto operations = operations_of(run.directory());
  ASSERT_EQ(operations.size(), 3U);
  EXPECT_GE(operations[0].duration_ns, 2 * kNsPerMs);
  EXPECT_EQ(operations[0].object_size_bytes, 7U);
  EXPECT_EQ(operations[0].retry_count, 2U);
  EXPECT_EQ(operations[0].user_id, "u");
  EXPECT_EQ(operations[0].metadata, R"({"a":1})");
  EXPECT_GE(operations[0].timestamp_start->ns, before.ns - kNsPerSecond);
  EXPECT_EQ(operations[1].error_code, "abandoned");
  EXPECT_EQ(operations[2].operation_type, "list");
}

TEST_F(CollectorTest, KeepsEveryOperationOfManyThreadsThatComeAndGo) {
  Collector run(options());
  constexpr int kThreads = 1000;
  for (int wave = 0; wave < kThreads / 20; ++wave) {
    std::vector<std::thread> threads;
    threads.reserve(20);
    for (int i = 0; i < 20; ++i) {
      threads.emplace_back([&run] {
        for (int n = 0; n < 10; ++n) run.record({.operation_type = "upload"});
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  const Report report = run.finish();
  EXPECT_EQ(report.recorded, 10U * kThreads);
  std::set<std::string> ids;
  for (const auto& operation : operations_of(run.directory())) ids.insert(operation.operation_id);
  EXPECT_EQ(ids.size() + run.dropped(), 10U * kThreads);
}

TEST_F(CollectorTest, CountsWhatIsRecordedFasterThanWritten) {
  RunOptions small = options();
  small.ring_bytes = 0;  // the least there is
  small.exports = {};
  Collector run(small);
  constexpr std::uint64_t kOperations = 200'000;
  for (std::uint64_t i = 0; i < kOperations; ++i) run.record({.operation_type = "upload"});
  const Report report = run.finish();
  EXPECT_EQ(report.recorded, kOperations);
  EXPECT_EQ(operations_of(run.directory()).size() + run.dropped(), kOperations);
  EXPECT_EQ(total_of(run.directory()) + run.dropped(), kOperations);
}

TEST_F(CollectorTest, RunsOfOneProcessAreApart) {
  Collector one(options("one"));
  Collector two(options("two"));
  for (int i = 0; i < 100; ++i) {
    one.record({.operation_type = "upload"});
    two.record({.operation_type = "download"});
  }
  two.finish();
  one.record({.operation_type = "upload"});
  one.finish();
  EXPECT_EQ(operations_of(one.directory()).size(), 101U);
  EXPECT_EQ(operations_of(two.directory()).size(), 100U);
}

TEST_F(CollectorTest, HandlesBelongToTheirCollector) {
  Collector one(options("one"));
  Collector two(options("two"));
  const BoundOperation of_one = one.bind("upload", {.workload_type = "s3", .driver = "boto"});
  const BoundOperation of_two = two.bind("download");
  for (int i = 0; i < 100; ++i) {  // the thread's cache holds one collector's ring at a time
    of_one.record({.duration = milliseconds(1), .object_size_bytes = 7});
    of_two.record({.success = false, .error_code = "SlowDown"});
  }
  { auto abandoned = of_two.time(); }
  two.finish();
  of_two.record({});
  EXPECT_EQ(two.finish().dropped, (DropCounts{{"record", {{"finished", 1}}}}));
  one.finish();
  const auto uploads = operations_of(one.directory());
  ASSERT_EQ(uploads.size(), 100U);
  EXPECT_EQ(uploads[99].operation_type, "upload");
  EXPECT_EQ(uploads[99].workload_type, "s3");
  EXPECT_EQ(uploads[99].driver, "boto");
  EXPECT_EQ(uploads[99].duration_ns, kNsPerMs);
  EXPECT_EQ(uploads[99].object_size_bytes, 7U);
  const auto downloads = operations_of(two.directory());
  ASSERT_EQ(downloads.size(), 101U);
  EXPECT_EQ(downloads[0].error_code, "SlowDown");
  EXPECT_EQ(downloads[100].error_code, "abandoned");
}

TEST_F(CollectorTest, AHandleOfNobodyRecordsNothing) {
  const BoundOperation none;
  none.record({});
  none.record({.error_code = "E"});
  none.time().success();
}

TEST_F(CollectorTest, ABadTypeIsCountedWithEachRecord) {
  Collector run(options());
  const BoundOperation bad = run.bind("no good");
  for (int i = 0; i < 3; ++i) bad.record({});
  const Report report = run.finish();
  EXPECT_EQ(report.dropped, (DropCounts{{"record", {{"invalid", 3}}}}));
  EXPECT_THAT(report.warnings, ::testing::ElementsAre(HasSubstr("bind()")));
}

TEST_F(CollectorTest, TimesWithHandles) {
  Collector run(options());
  auto timer = run.bind("upload").time();
  timer.size(7).retries(2).key("k").user("u").metadata(R"({"a":1})");
  std::this_thread::sleep_for(milliseconds(2));
  auto moved = std::move(timer);
  moved.success();
  moved.failure("second call is nothing");
  run.bind("delete").time().cancel();
  run.finish();
  const auto operations = operations_of(run.directory());
  ASSERT_EQ(operations.size(), 1U);
  EXPECT_TRUE(operations[0].success);
  EXPECT_GE(operations[0].duration_ns, 2 * kNsPerMs);
  EXPECT_EQ(operations[0].object_size_bytes, 7U);
  EXPECT_EQ(operations[0].retry_count, 2U);
  EXPECT_EQ(operations[0].object_key, "k");
  EXPECT_EQ(operations[0].user_id, "u");
}

TEST_F(CollectorTest, WaitsForRoomWhereItWasTold) {
  RunOptions patient = options();
  patient.ring_bytes = 0;  // the least there is
  patient.full_ring_wait = std::chrono::minutes(10);
  Collector run(patient);
  const BoundOperation upload = run.bind("upload");
  for (int i = 0; i < 100'000; ++i) upload.record({.duration = milliseconds(1)});
  EXPECT_TRUE(run.finish().dropped.empty());
  EXPECT_EQ(operations_of(run.directory()).size(), 100'000U);
}

TEST_F(CollectorTest, CollectorsOfOneProcessMayShareARun) {
  Collector one(options());
  Collector two(one.directory(), options());
  ASSERT_TRUE(two) << two.error();
  EXPECT_EQ(two.test_run_id(), one.test_run_id());
  one.record({.operation_type = "upload"});
  two.record({.operation_type = "upload"});
  EXPECT_FALSE(one.finish().complete);
  EXPECT_TRUE(two.finish().complete);
  EXPECT_EQ(total_of(one.directory()), 2U);
}

TEST_F(CollectorTest, FinishedTwiceGivesTheSameReport) {
  Collector run(options());
  run.record({.operation_type = "upload"});
  const Report first = run.finish();
  const Report second = run.finish();
  EXPECT_EQ(first.summary_json, second.summary_json);
  EXPECT_EQ(first.complete, second.complete);
  EXPECT_EQ(first.table(true), second.table(true));
}

TEST_F(CollectorTest, CountsWhatComesAfterTheEnd) {
  Collector run(options());
  run.finish();
  run.record({.operation_type = "upload"});
  EXPECT_EQ(run.recorded(), 1U);
  EXPECT_EQ(run.dropped(), 1U);
  EXPECT_EQ(run.finish().dropped, (DropCounts{{"record", {{"finished", 1}}}}));
}

TEST_F(CollectorTest, FinishesWhenItIsDestroyed) {
  std::filesystem::path left;
  {
    Collector run(options());
    run.record({.operation_type = "upload"});
    left = run.directory();
  }
  EXPECT_EQ(total_of(left), 1U);
}

TEST_F(CollectorTest, MakesRowsValidAndSaysSo) {
  Collector run(options());
  run.record({.operation_type = "no good"});
  run.record({.operation_type = "upload", .object_key = "\xFF", .metadata = "[]"});
  run.record({.operation_type = "upload", .duration = std::chrono::nanoseconds::min()});
  run.record({.operation_type = "upload",
              .start = std::chrono::system_clock::time_point::min(),
              .intended_start = std::chrono::system_clock::time_point::max()});
  const Report report = run.finish();
  EXPECT_EQ(operations_of(run.directory()).size(), 3U);
  EXPECT_EQ(report.dropped, (DropCounts{{"record", {{"invalid", 1}}}}));
  EXPECT_EQ(report.warnings.size(), 3U);
}

TEST_F(CollectorTest, RefusesOptionsThatBreakTheContract) {
  const auto error_of = [](RunOptions bad) {
    Collector run(std::move(bad));
    EXPECT_FALSE(run);
    run.record({.operation_type = "upload"});
    const Report report = run.finish();
    EXPECT_EQ(report.dropped, (DropCounts{{"record", {{"no_run", 1}}}}));
    EXPECT_EQ(report.problems, std::vector<std::string>{run.error()});
    return run.error();
  };
  RunOptions bad = options();
  bad.test_run_id = "../x";
  EXPECT_THAT(error_of(bad), HasSubstr("test_run_id"));
  bad = options();
  bad.workload_type = "s 3";
  EXPECT_THAT(error_of(bad), HasSubstr("workload_type"));
  bad = options();
  bad.tags = "[]";
  EXPECT_THAT(error_of(bad), HasSubstr("tags"));
  bad = options();
  bad.exports = {"xlsx"};
  EXPECT_THAT(error_of(bad), HasSubstr("xlsx"));
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "metrics"));
}

TEST_F(CollectorTest, ANameCannotLeaveTheExportDirectory) {
  for (const char* name : {"../../x", "/etc/x", "..", ".", "a/b", "a\nb"}) {
    Collector run(options(name));
    ASSERT_TRUE(run) << run.error();
    EXPECT_EQ(run.directory().parent_path(), directory_.path() / "metrics") << name;
  }
}

TEST_F(CollectorTest, TwoRunsOfOneNameAreAnError) {
  RunOptions named = options();
  named.test_run_id = "same";
  // The name holds the second of the start: within one second, two of them are one name.
  for (int attempt = 0; attempt < 20; ++attempt) {
    Collector one(named);
    Collector two(named);
    ASSERT_TRUE(one) << one.error();
    if (two) {
      std::filesystem::remove_all(one.directory());
      std::filesystem::remove_all(two.directory());
      continue;
    }
    EXPECT_THAT(two.error(), HasSubstr("already"));
    two.record({.operation_type = "upload"});
    EXPECT_EQ(two.dropped(), 1U);
    return;
  }
  FAIL() << "no two runs began within one second";
}

TEST_F(CollectorTest, CannotJoinWhatIsNoRun) {
  Collector run(directory_.path(), options());
  EXPECT_FALSE(run);
  EXPECT_THAT(run.error(), HasSubstr("cannot join"));
}

TEST_F(CollectorTest, JoinsTheRunThatTheEnvironmentNames) {
  Collector first(options());
  ::setenv("METRICSD_RUN_DIR", first.directory().c_str(), 1);
  {
    Collector second(options());
    EXPECT_EQ(second.directory(), first.directory());
    RunOptions alone = options("alone");
    alone.join_from_environment = false;
    Collector third(alone);
    EXPECT_NE(third.directory(), first.directory());
  }
}

TEST_F(CollectorTest, AFileThatCannotBeWrittenIsAProblem) {
  Collector run(options());
  ASSERT_TRUE(std::filesystem::create_directory(run.directory() / "operations.csv"));
  run.record({.operation_type = "upload"});
  const Report report = run.finish();
  EXPECT_TRUE(report.complete);
  EXPECT_THAT(report.problems, ::testing::ElementsAre(HasSubstr("operations.csv")));
  EXPECT_EQ(total_of(run.directory()), 1U);
}

TEST_F(CollectorTest, WithoutFilesLeavesNone) {
  RunOptions none = options();
  none.write_files = false;
  Collector run(none);
  EXPECT_TRUE(run);
  run.record({.operation_type = "upload"});
  const Report report = run.finish();
  EXPECT_FALSE(report.complete);
  EXPECT_TRUE(report.dropped.empty());
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "metrics"));
}

TEST_F(CollectorTest, WithoutADirectoryCountsTheRowsAsLost) {
  RunOptions nowhere = options();
  nowhere.export_dir = "/dev/null/metrics";
  Collector run(nowhere);
  EXPECT_FALSE(run);
  run.record({.operation_type = "upload"});
  EXPECT_EQ(run.finish().dropped, (DropCounts{{"jsonl", {{"not_open", 1}}}}));
}

TEST_F(CollectorTest, LeavesNoHalfMadeDirectoryBehind) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit nothing{0, 0};
    ::setrlimit(RLIMIT_FSIZE, &nothing);
    Collector run(options());
    run.record({.operation_type = "upload"});
    const Report report = run.finish();
    ::_exit(!run && report.dropped == DropCounts{{"jsonl", {{"not_open", 1}}}} ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() / "metrics"));
}

TEST_F(CollectorTest, JoiningUnderAFileSizeLimitDoesNotKillTheWorkload) {
  std::filesystem::path left;
  {
    Collector run(options());
    left = run.directory();
  }
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit nothing{0, 0};
    ::setrlimit(RLIMIT_FSIZE, &nothing);
    Collector joined(left, options());
    joined.record({.operation_type = "upload"});
    const Report report = joined.finish();
    ::_exit(joined && report.dropped == DropCounts{{"jsonl", {{"disk_full", 1}}}} ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

// A file system of 1 MiB, for its life.
class SmallDisk {
 public:
  explicit SmallDisk(std::filesystem::path at) : at_(std::move(at)) {
    std::filesystem::create_directory(at_);
    mounted_ = ::mount("none", at_.c_str(), "tmpfs", 0, "size=1m") == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  [[nodiscard]] bool mounted() const { return mounted_; }

 private:
  std::filesystem::path at_;
  bool mounted_ = false;
};

TEST_F(CollectorTest, AFullDiskOnlyCostsCountedRows) {
  const SmallDisk disk(directory_.path() / "metrics");
  if (!disk.mounted()) GTEST_SKIP() << "may not mount a small file system";
  Collector run(options());
  ASSERT_TRUE(run) << run.error();
  constexpr std::uint64_t kOperations = 20'000;
  for (std::uint64_t i = 0; i < kOperations; ++i) {
    run.record({.operation_type = "upload", .object_key = "bucket/some/long/enough/key"});
    if (i % 1000 == 0) std::this_thread::sleep_for(milliseconds(1));
  }
  const Report report = run.finish();
  EXPECT_EQ(report.recorded, kOperations);
  ASSERT_EQ(report.dropped.count("jsonl"), 1U);
  std::uint64_t whole = 0;
  std::uint64_t torn = 0;
  for (const auto& line : testing::lines_of(run.directory() / "operations.jsonl")) {
    (line.ends_with('}') ? whole : torn) += 1;
  }
  EXPECT_EQ(whole + run.dropped(), kOperations);
  EXPECT_LE(torn, 1U);
  EXPECT_THAT(report.problems, ::testing::Not(::testing::IsEmpty()));  // nor had the other files room
}

// What the queue towards the daemon may come to hold, here 2 GiB, is not to be had.
TEST_F(CollectorTest, WithoutMemoryForAFullQueueEachOperationIsWrittenOnce) {
  if (METRICSD_SANITIZED != 0) GTEST_SKIP() << "the sanitizers end a process that has no memory";
  constexpr std::uint64_t kOperations = 1000;
  const support::MemoryLimit limit(std::size_t{1} << 30);
  RunOptions sending = options();
  sending.send_to_daemon = true;
  sending.socket = (directory_.path() / "nobody").string();
  sending.queue_bytes = std::size_t{1} << 30;
  Collector run(sending);
  ASSERT_TRUE(run) << run.error();
  for (std::uint64_t i = 0; i < kOperations; ++i) run.record({.operation_type = "upload"});
  const Report report = run.finish();
  EXPECT_EQ(report.recorded, kOperations);
  EXPECT_EQ(total_of(run.directory()), kOperations);
  EXPECT_EQ(report.dropped, (DropCounts{{"socket", {{"no_daemon", kOperations}}}}));
}

TEST_F(CollectorTest, AFileSizeLimitDoesNotKillTheWorkload) {
  const pid_t child = ::fork();
  if (child == 0) {
    Collector run(options());
    const rlimit limit{100'000, 100'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 5000; ++i) run.record({.operation_type = "upload"});
    const Report report = run.finish();
    const auto jsonl = report.dropped.find("jsonl");
    ::_exit(jsonl != report.dropped.end() && jsonl->second.count("disk_full") == 1 ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace metricsd::client
