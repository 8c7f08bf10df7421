#include "checkpoint/checkpointer.h"

#include "checkpoint/left_state.h"
#include "faulty_files.h"

#include <metricsd/support/manual_clock.h>
#include <metricsd/support/temporary_directory.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

namespace metricsd::server {
namespace {

namespace fs = std::filesystem;

// Two shards that count operations, and know what they were told is durable.
class FakeShards : public CutSource {
 public:
  Result<Cuts> cut(Extent extent) override {
    extents.push_back(extent);
    if (failure) return *failure;
    Cuts cuts;
    for (Shard& shard : shards_) {
      cuts.shards.emplace_back();
      if (extent == Extent::changed && !shard.has_changed) continue;
      shard.has_changed = false;
      save_cut(cuts.shards.back(), {shard.registry, shard.totals, shard.live_runs, shard.clients}, extent,
               {});
    }
    cut_ = shards_[0].totals.operations + shards_[1].totals.operations;
    return cuts;
  }
  void settle() override { settled = cut_; }

  void count(std::size_t shard, std::uint64_t operations) {
    shards_[shard].totals.operations += operations;
    shards_[shard].has_changed = true;
  }

  std::vector<Extent> extents;
  std::optional<Errc> failure;
  std::uint64_t settled = 0;

 private:
  struct Shard {
    Registry registry{std::make_shared<Catalog>(10)};
    IngestTotals totals;
    LiveRuns live_runs;
    Clients clients{Durability::of_checkpoints};
    bool has_changed = true;
  };

  Shard shards_[2];
  std::uint64_t cut_ = 0;
};

class CheckpointerTest : public ::testing::Test {
 protected:
  CheckpointerTest() { start(); }

  void start() {
    checkpointer_.reset();
    replicas_.clear();
    for (int i = 0; i < 2; ++i) replicas_.push_back(std::make_unique<Replica>(catalog_));
    std::string why;
    auto store = CheckpointStore::claim(directory_.path(), files_, why);
    checkpointer_ = std::make_unique<Checkpointer>(
        Checkpointer::Options{.interval_ns = kNsPerSecond,
                              .left = {.store_id = "store"},
                              .generation = 0,
                              .worked_ns = [this] { return worked_ns_.load(); }},
        std::move(store).value(), shards_, replicas_, clock_,
        Logger(LogFormat::logfmt, std::make_shared<spdlog::logger>("nobody")));
  }

  void fail_with(int error) {
    files_.fail_with([error](FaultyFiles::Call call, std::uint64_t) {
      return call == FaultyFiles::Call::write || call == FaultyFiles::Call::sync ? error : 0;
    });
  }

  [[nodiscard]] bool eventually_shown(std::uint64_t operations) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (shown() != operations && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return shown() == operations;
  }

  [[nodiscard]] std::uint64_t shown() const {
    return replicas_[0]->report({}).totals.operations + replicas_[1]->report({}).totals.operations;
  }
  // What a daemon that is started now would go on from.
  [[nodiscard]] std::uint64_t durable() const {
    const support::TemporaryDirectory copy;
    fs::copy(directory_.path(), copy.path() / "state");
    std::string why;
    auto store = CheckpointStore::claim(copy.path() / "state", system_files(), why).value();
    LeftState left;
    const Restored restored = store.load([&](const Frame& frame) { return left.take(frame); });
    EXPECT_FALSE(restored.is_behind);
    std::uint64_t operations = 0;
    for (const auto& part : left.parts()) operations += part->report({}).totals.operations;
    return operations;
  }

  support::TemporaryDirectory directory_;
  FaultyFiles files_;
  support::ManualClock clock_;
  std::atomic<std::int64_t> worked_ns_ = 0;
  FakeShards shards_;
  std::shared_ptr<Catalog> catalog_ = std::make_shared<Catalog>(10);
  Replicas replicas_;
  std::unique_ptr<Checkpointer> checkpointer_;
};

TEST_F(CheckpointerTest, WhatIsShownAndPromisedIsDurable) {
  shards_.count(0, 5);
  ASSERT_TRUE(checkpointer_->begin());
  EXPECT_EQ(shown(), 5U);
  EXPECT_EQ(durable(), 5U);
  shards_.count(1, 2);
  EXPECT_EQ(shown(), 5U);
  checkpointer_->make_one();
  EXPECT_EQ(shown(), 7U);
  EXPECT_EQ(durable(), 7U);
  EXPECT_EQ(shards_.settled, 7U);
  EXPECT_THAT(shards_.extents, ::testing::ElementsAre(Extent::whole, Extent::changed));
}

TEST_F(CheckpointerTest, WithoutAChangeNothingIsWritten) {
  ASSERT_TRUE(checkpointer_->begin());
  const std::uint64_t generation = checkpointer_->figures().generation;
  files_.work_again();
  clock_.advance(kNsPerSecond);
  checkpointer_->make_one();
  EXPECT_TRUE(files_.calls().empty());
  EXPECT_EQ(checkpointer_->figures().generation, generation);
  EXPECT_EQ(checkpointer_->figures().age_ns, 0);
  clock_.advance(60 * kNsPerSecond);  // but the time, now and then
  checkpointer_->make_one();
  EXPECT_EQ(checkpointer_->figures().generation, generation + 1);
}

// Whoever is killed meanwhile, no counter falls.
TEST_F(CheckpointerTest, WhileTheyFailWhatIsShownIsWhatIsDurable) {
  ASSERT_TRUE(checkpointer_->begin());
  fail_with(ENOSPC);
  for (std::uint64_t i = 1; i <= 5; ++i) {
    shards_.count(0, 1);
    clock_.advance(kNsPerSecond);
    checkpointer_->make_one();
    EXPECT_EQ(shown(), 0U);
    EXPECT_EQ(shards_.settled, 0U);
    EXPECT_TRUE(checkpointer_->figures().is_failing);
    EXPECT_FALSE(checkpointer_->figures().is_shown_ahead);
    EXPECT_EQ(checkpointer_->figures().age_ns, static_cast<std::int64_t>(i) * kNsPerSecond);
  }
  EXPECT_EQ(durable(), 0U);
  EXPECT_EQ(checkpointer_->figures().failures, 0U);
  files_.work_again();
  checkpointer_->make_one();
  EXPECT_EQ(shown(), 5U);
  EXPECT_EQ(durable(), 5U);
  EXPECT_EQ(shards_.settled, 5U);
  EXPECT_FALSE(checkpointer_->figures().is_failing);
  EXPECT_EQ(checkpointer_->figures().failures, 5U);
  EXPECT_EQ(checkpointer_->figures().age_ns, 0);
  EXPECT_EQ(checkpointer_->figures().error, "");
  shards_.count(1, 1);
  checkpointer_->make_one();
  EXPECT_EQ(shards_.extents.back(), Extent::changed);
  EXPECT_EQ(durable(), 6U);
}

TEST_F(CheckpointerTest, AfterAMinuteOfFailingWhatIsShownGoesOnAndIsSaidNotToBeDurable) {
  ASSERT_TRUE(checkpointer_->begin());
  fail_with(ENOSPC);
  shards_.count(0, 1);
  checkpointer_->make_one();
  clock_.advance(60 * kNsPerSecond - 1);
  checkpointer_->make_one();
  EXPECT_EQ(shown(), 0U);
  EXPECT_FALSE(checkpointer_->figures().is_shown_ahead);
  clock_.advance(1);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    checkpointer_->make_one();
    EXPECT_EQ(shown(), i);
    EXPECT_TRUE(checkpointer_->figures().is_shown_ahead);
    EXPECT_EQ(shards_.settled, 0U);
    EXPECT_EQ(durable(), 0U);
    shards_.count(1, 1);
  }
  files_.work_again();
  checkpointer_->make_one();
  EXPECT_FALSE(checkpointer_->figures().is_shown_ahead);
  EXPECT_EQ(shown(), 4U);
  EXPECT_EQ(durable(), 4U);
  // The next trouble has its own minute.
  fail_with(ENOSPC);
  shards_.count(1, 1);
  checkpointer_->make_one();
  EXPECT_EQ(shown(), 4U);
}

// Whichever call fails, once: what was promised is durable at every moment, and the next one mends it.
TEST_F(CheckpointerTest, EveryCallMayFail) {
  ASSERT_TRUE(checkpointer_->begin());
  std::uint64_t counted = 0;
  for (const int error : {EIO, ENOSPC}) {
    for (std::uint64_t failing = 1; failing <= 12; ++failing) {
      files_.fail_with(
          [&](FaultyFiles::Call, std::uint64_t number) { return number == failing ? error : 0; });
      for (int i = 0; i < 4; ++i) {
        shards_.count(0, ++counted);
        checkpointer_->make_one();
        EXPECT_GE(durable(), shards_.settled);
        EXPECT_GE(durable(), shown());
        if (!checkpointer_->figures().is_failing) {
          EXPECT_EQ(shown(), shards_.settled);
        }
      }
      files_.work_again();
      checkpointer_->make_one();
      EXPECT_FALSE(checkpointer_->figures().is_failing);
      EXPECT_EQ(durable(), shown());
    }
  }
}

TEST_F(CheckpointerTest, ACutThatWasLostIsFollowedByAWholeOne) {
  ASSERT_TRUE(checkpointer_->begin());
  shards_.count(0, 1);
  shards_.failure = Errc::timed_out;
  checkpointer_->make_one();
  EXPECT_TRUE(checkpointer_->figures().is_failing);
  shards_.failure.reset();
  checkpointer_->make_one();
  EXPECT_EQ(shards_.extents.back(), Extent::whole);
  EXPECT_EQ(durable(), 1U);
  checkpointer_->make_one();
  EXPECT_EQ(shards_.extents.back(), Extent::changed);
}

TEST_F(CheckpointerTest, WithoutAFirstCutThereIsNothingToShow) {
  shards_.failure = Errc::timed_out;
  EXPECT_EQ(checkpointer_->begin().error(), Errc::timed_out);
}

TEST_F(CheckpointerTest, AReadOnlyDiskIsServedFrom) {
  shards_.count(0, 3);
  files_.fail_with([](FaultyFiles::Call, std::uint64_t) { return EROFS; });
  ASSERT_TRUE(checkpointer_->begin());
  EXPECT_EQ(shown(), 3U);
  EXPECT_TRUE(checkpointer_->figures().is_failing);
  EXPECT_EQ(checkpointer_->figures().error, "Read-only file system");
}

// The file does not grow for ever: what changed is not kept beside a base that is smaller.
TEST_F(CheckpointerTest, ManyIncrementsBecomeABase) {
  ASSERT_TRUE(checkpointer_->begin());
  std::uint64_t largest = 0;
  for (int i = 0; i < 30'000; ++i) {
    shards_.count(0, 1);
    checkpointer_->make_one();
    largest = std::max(largest, checkpointer_->figures().file_bytes);
  }
  EXPECT_EQ(durable(), 30'000U);
  EXPECT_LT(largest, std::uint64_t{3} << 20);
  EXPECT_LT(checkpointer_->figures().file_bytes, largest);
}

TEST_F(CheckpointerTest, TheLastOneHoldsEverything) {
  ASSERT_TRUE(checkpointer_->begin());
  checkpointer_->start();
  shards_.count(0, 9);
  EXPECT_EQ(checkpointer_->finish(std::chrono::seconds(30)), LastCheckpoint::made);
  EXPECT_EQ(durable(), 9U);
}

TEST_F(CheckpointerTest, ThatTheLastOneFailedIsTold) {
  ASSERT_TRUE(checkpointer_->begin());
  checkpointer_->start();
  shards_.count(0, 9);
  fail_with(ENOSPC);
  EXPECT_EQ(checkpointer_->finish(std::chrono::seconds(30)), LastCheckpoint::failed);
}

TEST_F(CheckpointerTest, WhoWaitsHastensIt) {
  ASSERT_TRUE(checkpointer_->begin());
  checkpointer_->start();
  // The clock stands still: no interval ends.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  shards_.count(0, 9);
  while (shown() != 9 && std::chrono::steady_clock::now() < deadline) {
    checkpointer_->hasten();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(shown(), 9U);
  EXPECT_EQ(checkpointer_->finish(std::chrono::seconds(30)), LastCheckpoint::made);
}

TEST_F(CheckpointerTest, WhatComesAfterAQuietTimeNeedNotWait) {
  ASSERT_TRUE(checkpointer_->begin());
  checkpointer_->make_one();  // finds nothing
  checkpointer_->start();
  shards_.count(0, 9);
  checkpointer_->note_change();  // the clock stands still
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (shown() != 9 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(shown(), 9U);
  shards_.count(0, 1);
  checkpointer_->note_change();  // not quiet any more: this one does
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(shown(), 9U);
  EXPECT_EQ(checkpointer_->finish(std::chrono::seconds(30)), LastCheckpoint::made);
}

// Who waits for a disk does nothing: the next one comes an interval later, however long that was.
TEST_F(CheckpointerTest, ASlowDiskDelaysNothingButItself) {
  ASSERT_TRUE(checkpointer_->begin());
  files_.fail_with([&](FaultyFiles::Call call, std::uint64_t) {
    if (call == FaultyFiles::Call::sync) clock_.advance(60 * kNsPerSecond);
    return 0;
  });
  shards_.count(0, 1);
  checkpointer_->make_one();
  files_.work_again();
  shards_.count(0, 1);
  checkpointer_->start();
  checkpointer_->hasten();
  EXPECT_TRUE(eventually_shown(2));
  EXPECT_EQ(checkpointer_->finish(std::chrono::seconds(30)), LastCheckpoint::made);
}

TEST_F(CheckpointerTest, WhatIsWorkIsRestedFrom) {
  ASSERT_TRUE(checkpointer_->begin());
  files_.fail_with([&](FaultyFiles::Call call, std::uint64_t) {
    if (call == FaultyFiles::Call::sync) worked_ns_ += kNsPerSecond / 10;
    return 0;
  });
  shards_.count(0, 1);
  checkpointer_->make_one();
  shards_.count(0, 1);
  checkpointer_->start();
  clock_.advance(19 * kNsPerSecond / 10 - 1);
  checkpointer_->hasten();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(shown(), 1U);
  clock_.advance(1);
  checkpointer_->hasten();
  EXPECT_TRUE(eventually_shown(2));
  EXPECT_EQ(checkpointer_->finish(std::chrono::seconds(30)), LastCheckpoint::made);
}

// The age is seen while the disk does not answer, and is said to be too much.
TEST_F(CheckpointerTest, OneThatTakesLongIsLate) {
  ASSERT_TRUE(checkpointer_->begin());
  bool was_late = false;
  files_.fail_with([&](FaultyFiles::Call call, std::uint64_t) {
    if (call == FaultyFiles::Call::sync) {
      EXPECT_FALSE(checkpointer_->figures().is_late);
      clock_.advance(7 * kNsPerSecond);
      was_late = checkpointer_->figures().is_late;
      EXPECT_EQ(checkpointer_->figures().age_ns, 7 * kNsPerSecond);
    }
    return 0;
  });
  shards_.count(0, 1);
  checkpointer_->make_one();
  EXPECT_TRUE(was_late);
  EXPECT_FALSE(checkpointer_->figures().is_failing);
}

TEST_F(CheckpointerTest, ARestartGoesOnFromIt) {
  shards_.count(0, 4);
  ASSERT_TRUE(checkpointer_->begin());
  clock_.advance(5 * kNsPerSecond);
  shards_.count(1, 1);
  checkpointer_->make_one();
  checkpointer_.reset();
  std::string why;
  auto store = CheckpointStore::claim(directory_.path(), files_, why).value();
  LeftState left;
  const Restored restored = store.load([&](const Frame& frame) { return left.take(frame); });
  EXPECT_EQ(restored.generation, 2U);
  EXPECT_EQ(left.head().store_id, "store");
  EXPECT_EQ(left.head().running_ns, 5 * kNsPerSecond);
  EXPECT_EQ(left.head().at, clock_.now());
  EXPECT_EQ(left.parts().size(), 2U);
}

// Sound frames whose content is none.
TEST(LeftState, TakesAnyBytes) {
  LeftState left;
  const std::string body = encode({.store_id = "s"}, {std::string(), std::string()});
  ASSERT_TRUE(left.take({FrameKind::base, 1, body}));
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(left.take({FrameKind::increment, 2, std::string_view(body).substr(0, size)})) << size;
  }
  EXPECT_FALSE(left.take({FrameKind::increment, 2, encode({.store_id = "s"}, {std::string()})}));
  EXPECT_FALSE(left.take({FrameKind::increment, 2, encode({.store_id = "s"}, {"x", "y"})}));
  EXPECT_FALSE(left.take({FrameKind::base, 1, encode({.store_id = std::string(33, 's')}, {})}));
}

}  // namespace
}  // namespace metricsd::server
