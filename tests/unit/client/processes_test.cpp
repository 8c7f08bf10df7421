// Runs of several processes, forks and deaths.
#include "support/fake_daemon.h"
#include "support/run_directory.h"

#include <metricsd/client/collector.h>
#include <metricsd/exporters/run_export.h>
#include <metricsd/support/sanitized.h>
#include <metricsd/support/temporary_directory.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

using testing::eventually;
using testing::FakeDaemon;
using testing::operations_of;
using testing::total_of;

// A forked process that runs `body` and exits with what it returns.
class Child {
 public:
  explicit Child(const std::function<int()>& body) : pid_(::fork()) {
    if (pid_ == 0) ::_exit(body());
  }
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (pid_ > 0) kill();
  }

  int wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void kill() {
    ::kill(pid_, SIGKILL);
    wait();
  }

 private:
  pid_t pid_;
};

class ProcessesTest : public ::testing::Test {
 protected:
  ProcessesTest() { ::unsetenv("METRICSD_RUN_DIR"); }
  ~ProcessesTest() override { ::unsetenv("METRICSD_RUN_DIR"); }

  [[nodiscard]] RunOptions options() const {
    return {.num_users = 2, .export_dir = directory_.path() / "metrics", .send_to_daemon = false};
  }

  support::TemporaryDirectory directory_;
};

// Whose forked processes open a collector, and with it a thread, of their own.
class JoiningProcessesTest : public ProcessesTest {
 protected:
  void SetUp() override {
#if METRICSD_SANITIZED
    GTEST_SKIP()
        << "the sanitizers' own locks do not survive the fork of a process with threads: a child that "
           "then allocates or starts a thread may wait for ever";
#endif
  }
};

void record(Collector& run, int operations) {
  for (int i = 0; i < operations; ++i) run.record({.operation_type = "upload", .object_key = "bucket/key"});
}

TEST_F(JoiningProcessesTest, JoinOneRunAndTheLastWritesItsFiles) {
  constexpr int kProcesses = 6;
  constexpr int kOperations = 2000;
  Collector run(options());
  ASSERT_TRUE(run) << run.error();
  ::setenv("METRICSD_RUN_DIR", run.directory().c_str(), 1);
  std::vector<Child> children;
  children.reserve(kProcesses);
  for (int i = 0; i < kProcesses; ++i) {
    children.emplace_back([this] {
      Collector own(options());
      if (!own) return 1;
      record(own, kOperations);
      own.finish();
      return own.dropped() == 0 ? 0 : 2;
    });
  }
  record(run, kOperations);
  for (Child& child : children) EXPECT_EQ(child.wait(), 0);
  EXPECT_FALSE(std::filesystem::exists(run.directory() / "aggregated.json"));
  const Report report = run.finish();
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(operations_of(run.directory()).size(), (kProcesses + 1U) * kOperations);
  EXPECT_EQ(total_of(run.directory()), (kProcesses + 1U) * kOperations);
  EXPECT_EQ(testing::number_in(testing::content_of(run.directory() / "test_config.json"), "num_users"),
            2U * (kProcesses + 1U));
}

// Whoever is the last writes the files, of whatever order and at whatever moment the others go.
TEST_F(JoiningProcessesTest, FinishTogetherAndLeaveNothingUnwritten) {
  for (int round = 0; round < 10; ++round) {
    std::filesystem::path left;
    std::vector<Child> children;
    {
      Collector run(options());
      left = run.directory();
      for (int i = 0; i < 4; ++i) {
        children.emplace_back([this, &left] {
          Collector own(left, options());
          record(own, 50);
          return own && own.finish().problems.empty() ? 0 : 1;
        });
      }
      record(run, 50);
    }
    for (Child& child : children) EXPECT_EQ(child.wait(), 0);
    EXPECT_EQ(operations_of(left).size(), 250U);
    EXPECT_EQ(total_of(left), 250U);
  }
}

TEST_F(ProcessesTest, WriteTheFilesAgainWhenSomeoneJoinsLater) {
  std::filesystem::path left;
  {
    Collector run(options());
    left = run.directory();
    record(run, 10);
  }
  EXPECT_EQ(total_of(left), 10U);
  Collector late(left, options());
  ASSERT_TRUE(late) << late.error();
  record(late, 5);
  EXPECT_TRUE(late.finish().complete);
  EXPECT_EQ(total_of(left), 15U);
}

TEST_F(ProcessesTest, AForkedChildOwesNothing) {
  FakeDaemon daemon(directory_.path() / "m.sock");
  RunOptions sending = options();
  sending.send_to_daemon = true;
  sending.socket = (directory_.path() / "m.sock").string();
  Collector run(sending);
  record(run, 100);
  ASSERT_TRUE(eventually([&] { return daemon.operations() == 100; }));
  const BoundOperation upload = run.bind("upload");
  upload.record({});
  auto begun = upload.time();
  Child child([&] {
    record(run, 100);
    upload.record({});
    begun.success();
    run.bind("download").time().success();
    if (run.recorded() != 0 || run.dropped() != 0) return 1;
    run.set_users(99);
    auto timer = run.time("upload");
    timer.success();
    const Report report = run.finish();
    if (report.complete || report.recorded != 0) return 2;
    run.~Collector();
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
  begun.success();
  record(run, 100);
  const Report report = run.finish();
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.recorded, 202U);
  EXPECT_EQ(operations_of(run.directory()).size(), 202U);
  EXPECT_TRUE(eventually([&] { return daemon.operations() == 202; }));
}

// Forks while other threads record: the child's copy may be in any state.
TEST_F(JoiningProcessesTest, ForkAtAnyMoment) {
  Collector run(options());
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  threads.reserve(2);
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        record(run, 20);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
  }
  for (int i = 0; i < 100; ++i) {
    Child child([&] {
      record(run, 10);
      {
        Collector own(run.directory(), options());
        if (!own) return 1;
        record(own, 1);
        if (!own.finish().problems.empty()) return 2;
      }
      run.~Collector();
      return 0;
    });
    ASSERT_EQ(child.wait(), 0);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  const Report report = run.finish();
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(operations_of(run.directory()).size() + run.dropped(), report.recorded + 100U);
}

// It has no cached ring that the fork could have made it forget.
TEST_F(JoiningProcessesTest, AThreadThatAForkedChildStartsRecordsNothing) {
  Collector run(options());
  const BoundOperation upload = run.bind("upload");
  upload.record({});
  Child child([&] {
    std::thread([&] { upload.record({.object_key = "k"}); }).join();
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(run.finish().recorded, 1U);
}

// A child that lives on must not hold its parent's connection.
TEST_F(ProcessesTest, AForkedChildHoldsNoConnection) {
  auto daemon = std::make_unique<FakeDaemon>(directory_.path() / "m.sock");
  RunOptions sending = options();
  sending.send_to_daemon = true;
  sending.socket = (directory_.path() / "m.sock").string();
  Collector run(sending);
  ASSERT_TRUE(eventually([&] { return daemon->of_type("run_start").size() == 1; }));
  const auto sockets = [] {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code ignored;
      const auto target = std::filesystem::read_symlink(entry.path(), ignored);
      if (target.string().starts_with("socket:")) ++count;
    }
    return count;
  };
  const int in_parent = sockets();
  Child child([&] { return in_parent - sockets(); });
  EXPECT_EQ(child.wait(), 1);
}

TEST_F(JoiningProcessesTest, AKilledOneLeavesLinesThatParseAndTheLastStillExports) {
  Collector run(options());
  record(run, 100);
  {
    Child child([this, &run] {
      Collector own(run.directory(), options());
      while (true) {
        record(own, 100);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      return 0;
    });
    const auto file = run.directory() / "operations.jsonl";
    ASSERT_TRUE(eventually([&] { return std::filesystem::file_size(file) > 1'000'000; }));
    child.kill();
  }
  const Report report = run.finish();
  EXPECT_TRUE(report.complete);
  const auto lines = testing::lines_of(run.directory() / "operations.jsonl");
  EXPECT_GE(total_of(run.directory()) + 1, lines.size());
}

TEST_F(ProcessesTest, AKilledRunIsCompletedFromItsLines) {
  std::filesystem::path left;
  {
    Child child([this] {
      Collector run(options());
      while (true) {
        record(run, 10);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      return 0;
    });
    ASSERT_TRUE(eventually([&] {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
        if (entry.path().filename() != "operations.jsonl" || entry.file_size() < 10'000) continue;
        left = entry.path().parent_path();
      }
      return !left.empty();
    }));
    child.kill();
  }
  const auto config = exporters::read_run(left);
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->end_time);
  const auto exported = exporters::export_run(left, *config, {.formats = {"csv"}});
  ASSERT_TRUE(exported);
  EXPECT_LE(exported->bad_lines, 1U);
  EXPECT_EQ(total_of(left), exported->operations);
}

}  // namespace
}  // namespace metricsd::client
