// Processes that are killed while they record: what they leave says of each record where it is, to the last.
#include "support/fake_daemon.h"
#include "support/left_segment.h"
#include "support/run_directory.h"

#include <metricsd/client/collector.h>
#include <metricsd/support/sanitized.h>
#include <metricsd/support/temporary_directory.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

namespace fs = std::filesystem;

using testing::eventually;
using testing::FakeDaemon;
using testing::LeftSegment;

class KilledTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (METRICSD_SANITIZED != 0) GTEST_SKIP() << "the sanitizers' locks do not survive a fork with threads";
    struct statfs status {};
    if (::statfs("/dev/shm", &status) != 0 || status.f_type != TMPFS_MAGIC) {
      GTEST_SKIP() << "there is no tmpfs to be had";
    }
    shared_.emplace("/dev/shm");
  }
  [[nodiscard]] fs::path socket() const { return shared_->path() / "m.sock"; }
  [[nodiscard]] RunOptions options() const {
    return {.export_dir = directory_.path() / "metrics",
            .join_from_environment = false,
            .socket = socket().string()};
  }
  [[nodiscard]] std::vector<fs::path> segments() const {
    std::vector<fs::path> paths;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(shared_->path() / "segments", none)) {
      paths.push_back(entry.path());
    }
    return paths;
  }
  static void record(Collector& run, std::uint64_t operations) {
    for (std::uint64_t i = 0; i < operations; ++i) {
      run.record({.operation_type = "upload", .object_key = "bucket/key"});
    }
  }
  // A process that does this until it is killed.
  static void kill_within(const std::function<void()>& body, std::chrono::microseconds after) {
    const pid_t child = ::fork();
    if (child == 0) {
      body();
      ::_exit(1);
    }
    std::this_thread::sleep_for(after);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
  }
  // Ordinals of one ring's records, of which the file has a line.
  static std::vector<std::uint64_t> written_of(const std::vector<std::string>& lines, std::uint32_t stream,
                                               const std::string& id_prefix) {
    const std::string id = "\"operation_id\":\"" + id_prefix + "-" + std::to_string(stream) + "-";
    std::vector<std::uint64_t> ordinals;
    for (const std::string& line : lines) {
      const std::size_t at = line.find(id);
      if (at != std::string::npos && line.ends_with('}')) {
        ordinals.push_back(std::stoull(line.substr(at + id.size())));
      }
    }
    std::sort(ordinals.begin(), ordinals.end());
    return ordinals;
  }
  // As the layout says: how far each ring's records are in the file.
  static std::uint64_t written_to(const LeftSegment& left, std::uint32_t stream, const fs::path& file) {
    std::uint64_t written = left.rings.at(stream).position.written;
    if (left.append_state == ipc::AppendState::gathering) return written;
    std::uint64_t lines = lines_in(left, file);
    for (const ipc::AppendSpan& span : left.spans) {
      const std::uint64_t there = std::min<std::uint64_t>(lines, span.lines);
      lines -= there;
      if (span.stream == stream && there > 0) written = std::max(written, span.first + there - 1);
    }
    return written;
  }
  static std::uint64_t lines_in(const LeftSegment& left, const fs::path& file) {
    const std::string content = testing::content_of(file);
    std::uint64_t lines = 0;
    std::size_t text_at = 0;
    for (std::size_t at = left.file_bytes; at < content.size() && text_at < left.text.size();) {
      const std::size_t end = content.find('\n', at);
      const std::string line = content.substr(at, end - at);
      const std::size_t text_end = left.text.find('\n', text_at);
      if (line == left.text.substr(text_at, text_end - text_at)) {
        ++lines;
        text_at = text_end + 1;
      }
      at = end == std::string::npos ? content.size() : end + 1;
    }
    if (left.append_state == ipc::AppendState::settled) {
      EXPECT_EQ(text_at, left.text.size());
    }
    return lines;
  }

  support::TemporaryDirectory directory_;
  std::optional<support::TemporaryDirectory> shared_;
};

// Whenever it comes: what is queued, what is in the rings and what is in the files are all that was recorded,
// each record once under one number.
TEST_F(KilledTest, LeavesEveryRecordWhereItsSegmentSays) {
  std::mt19937 random(3);
  for (int round = 0; round < 40; ++round) {
    const std::chrono::microseconds after(2000 + random() % 40'000);
    kill_within(
        [this] {
          Collector run(options());
          std::thread other([&run] { record(run, UINT64_MAX); });
          record(run, UINT64_MAX);
        },
        after);
    const auto paths = segments();
    if (paths.empty()) continue;  // it had not come so far
    ASSERT_EQ(paths.size(), 1U);
    const LeftSegment left(paths[0]);
    const fs::path file =
        fs::path(left.run.at(static_cast<std::size_t>(ipc::RunText::directory))) / "operations.jsonl";
    const auto lines = testing::lines_of(file);
    for (const auto& [stream, ring] : left.rings) {
      const ipc::RingPosition& position = ring.position;
      // Between the two stores of a commit a record is counted and not shown.
      EXPECT_LE(ring.committed - position.taken - ring.untaken, 1U);
      EXPECT_EQ(position.taken - position.written, ring.unwritten - ring.untaken);

      std::uint64_t next = 1;
      for (const auto& entry : left.queue) {
        if (entry.head.stream != stream) continue;
        EXPECT_EQ(entry.head.first_seq, next);
        EXPECT_TRUE(entry.line.starts_with(R"({"type":"batch",)") && entry.line.ends_with("]}\n"));
        next = entry.head.last_seq + 1;
      }
      EXPECT_GE(next, position.sequence + 1);                 // a batch may stand in the queue already
      EXPECT_LE(next, position.sequence + 1 + ring.untaken);  // while its records are still there
      const std::uint64_t lost = left.header.losses[11].operations + left.header.losses[10].operations;
      if (left.header.turn.set == 0) {
        EXPECT_LE(position.taken - position.sequence, lost);
      }

      const auto written =
          written_of(lines, stream, left.run.at(static_cast<std::size_t>(ipc::RunText::id_prefix)));
      EXPECT_EQ(written.size(), written_to(left, stream, file)) << round;
      for (std::size_t i = 0; i < written.size(); ++i) ASSERT_EQ(written[i], i + 1) << round;
    }
    fs::remove(paths[0]);
  }
}

TEST_F(KilledTest, TheDaemonHasTheSegmentOfAClientThatIsGone) {
  FakeDaemon daemon(socket(), true, testing::Answers::never);
  kill_within(
      [this] {
        Collector run(options());
        record(run, 1000);
        std::this_thread::sleep_for(std::chrono::hours(1));
      },
      std::chrono::milliseconds(300));
  ASSERT_TRUE(eventually([&] { return daemon.operations() == 1000; }));
  ASSERT_NE(daemon.segment(), -1);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_len = 1;
  ASSERT_EQ(::fcntl(daemon.segment(), F_GETLK, &lock), 0);
  EXPECT_EQ(lock.l_type, F_UNLCK);
  ASSERT_EQ(segments().size(), 1U);
  const LeftSegment left(segments()[0]);
  std::uint64_t queued = 0;
  for (const auto& entry : left.queue) queued += entry.head.operations;
  EXPECT_EQ(queued, 1000U);
  EXPECT_THAT(std::string(left.header.identities[left.header.identity].store_id, 32),
              ::testing::MatchesRegex("[0-9a-f]{32}"));
  EXPECT_EQ(left.header.identities[left.header.identity].confirmed, 0U);
}

TEST_F(KilledTest, AGoodFinishLeavesNothing) {
  FakeDaemon daemon(socket());
  Collector run(options());
  record(run, 1000);
  EXPECT_EQ(segments().size(), 1U);
  EXPECT_EQ(run.finish().dropped, DropCounts{});
  EXPECT_THAT(segments(), ::testing::IsEmpty());
}

TEST_F(KilledTest, ARunThatIsNotOpenedLeavesNothing) {
  RunOptions bad = options();
  bad.test_name = "";
  const Collector run(bad);
  EXPECT_NE(run.error(), "");
  EXPECT_THAT(segments(), ::testing::IsEmpty());
}

// finish() has waited as long as it may: the daemon has the rest to fold, and it is no loss.
TEST_F(KilledTest, WhatFinishCouldNotDeliverStaysForTheDaemon) {
  FakeDaemon daemon(socket(), true, testing::Answers::never);
  RunOptions hasty = options();
  hasty.finish_timeout = std::chrono::milliseconds(50);
  Collector run(hasty);
  record(run, 1000);
  ASSERT_TRUE(eventually([&] { return daemon.operations() == 1000; }));
  const Report report = run.finish();
  EXPECT_EQ(report.dropped, DropCounts{});
  EXPECT_THAT(report.warnings, ::testing::Contains(::testing::HasSubstr("1000 operations in time")));
  ASSERT_EQ(segments().size(), 1U);
  const LeftSegment left(segments()[0]);
  EXPECT_EQ(left.header.ended.load(), 1U);
  EXPECT_EQ(left.append_state, ipc::AppendState::gathering);
  for (const auto& [stream, ring] : left.rings) EXPECT_EQ(ring.unwritten, 0U);
}

// A child has a segment of its own, and does nothing to its parent's.
TEST_F(KilledTest, AForkedChildHasNothingOfItsParents) {
  FakeDaemon daemon(socket(), true, testing::Answers::never);
  RunOptions hasty = options();
  hasty.finish_timeout = std::chrono::milliseconds(50);
  Collector run(hasty);
  record(run, 10);
  ASSERT_TRUE(eventually([&] { return daemon.operations() == 10; }));
  const auto before = segments();
  const pid_t child = ::fork();
  if (child == 0) {
    record(run, 10);
    run.finish();
    Collector own(options());
    record(own, 5);
    ::_exit(segments().size() == 2 ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(segments().size(), 2U);  // the child ended without a finish
  EXPECT_TRUE(fs::exists(before[0]));
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_len = 1;
  const pid_t looker = ::fork();
  if (looker == 0) {
    const int fd = ::open(before[0].c_str(), O_RDWR | O_CLOEXEC);
    ::_exit(::fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 0 : 1);
  }
  ::waitpid(looker, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0) << "the parent's lock went with its child";
  // Last: whoever closes a descriptor of it in this process gives the lock up.
  const LeftSegment left(before[0]);
  std::uint64_t committed = 0;
  for (const auto& [stream, ring] : left.rings) committed += ring.committed;
  EXPECT_EQ(committed, 10U);
}

}  // namespace
}  // namespace metricsd::client
