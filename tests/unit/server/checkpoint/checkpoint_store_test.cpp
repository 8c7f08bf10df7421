#include "checkpoint/checkpoint_store.h"

#include "faulty_files.h"

#include <metricsd/models/unique_fd.h>
#include <metricsd/support/temporary_directory.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::server {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class CheckpointStoreTest : public ::testing::Test {
 protected:
  CheckpointStore claim() {
    std::string why;
    auto store = CheckpointStore::claim(path_, files_, why);
    EXPECT_TRUE(store) << why;
    return *std::move(store);
  }

  // What counts, as texts: a base and its increments.
  std::vector<std::string> load(CheckpointStore& store) {
    std::vector<std::string> bodies;
    restored_ = store.load([&](const Frame& frame) {
      if (frame.kind == FrameKind::base) bodies.clear();
      if (frame.body == refused_) return false;
      bodies.emplace_back(frame.body);
      return true;
    });
    return bodies;
  }
  std::vector<std::string> load() {
    CheckpointStore store = claim();
    return load(store);
  }

  // A base and an increment, twice: a checkpoint and a previous one.
  void write_two() {
    CheckpointStore store = claim();
    ASSERT_TRUE(store.rewrite({FrameKind::base, 1, "base 1"}));
    ASSERT_TRUE(store.append({FrameKind::increment, 2, "more 2"}));
    ASSERT_TRUE(store.rewrite({FrameKind::base, 3, "base 3"}));
    ASSERT_TRUE(store.append({FrameKind::increment, 4, "more 4"}));
  }

  // Of all but the lock.
  std::set<std::string> names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(path_)) names.insert(entry.path().filename().string());
    names.erase("lock");
    return names;
  }
  void flip(const char* name, std::size_t at) const {
    std::fstream file(path_ / name, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
  }

  support::TemporaryDirectory directory_;
  fs::path path_ = directory_.path() / "state" / "metricsd";
  FaultyFiles files_;
  Restored restored_;
  std::string refused_ = "refused";
};

TEST_F(CheckpointStoreTest, TheDirectoryIsMadeForItsOwnerAlone) {
  const CheckpointStore store = claim();
  for (const fs::path& made : {path_, path_.parent_path()}) {
    struct stat status {};
    ASSERT_EQ(::stat(made.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
  }
}

TEST_F(CheckpointStoreTest, OneProcessHasIt) {
  const CheckpointStore store = claim();
  std::string why;
  EXPECT_EQ(CheckpointStore::claim(path_, files_, why).error(), Errc::endpoint_in_use);
  EXPECT_THAT(why, HasSubstr("another metricsd"));
  EXPECT_THAT(why, HasSubstr("--data-dir"));
}

// Others could count what they like, or keep the daemon from starting.
TEST_F(CheckpointStoreTest, ADirectoryThatOthersMayWriteToIsRefused) {
  fs::create_directories(path_);
  for (const fs::perms mode : {fs::perms::group_write, fs::perms::others_write}) {
    fs::permissions(path_, fs::perms::owner_all | mode);
    std::string why;
    EXPECT_EQ(CheckpointStore::claim(path_, files_, why).error(), Errc::endpoint_untrusted);
    EXPECT_THAT(why, HasSubstr("chmod go-w"));
  }
}

TEST_F(CheckpointStoreTest, WhatBelongsToAnotherIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "gives files away";
  write_two();
  std::string why;
  ASSERT_EQ(::chown((path_ / "checkpoint").c_str(), 12345, 0), 0);
  EXPECT_EQ(CheckpointStore::claim(path_, files_, why).error(), Errc::endpoint_untrusted);
  EXPECT_THAT(why, HasSubstr("checkpoint in it belongs to uid 12345"));
  ASSERT_EQ(::chown((path_ / "checkpoint").c_str(), 0, 0), 0);
  ASSERT_EQ(::chown(path_.c_str(), 12345, 0), 0);
  EXPECT_EQ(CheckpointStore::claim(path_, files_, why).error(), Errc::endpoint_untrusted);
  EXPECT_THAT(why, HasSubstr("it belongs to uid 12345"));
}

// Who may read a directory may lock it as well: it is not what is locked then.
TEST_F(CheckpointStoreTest, WhoMayReadTheDirectoryCannotKeepItFromItsOwner) {
  fs::create_directories(path_);
  fs::permissions(path_, fs::perms(0755));
  const UniqueFd other(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(other.get(), LOCK_EX | LOCK_NB), 0);
  const CheckpointStore store = claim();
  struct stat status {};
  ASSERT_EQ(::stat((path_ / "lock").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  std::string why;
  EXPECT_EQ(CheckpointStore::claim(path_, files_, why).error(), Errc::endpoint_in_use);
}

TEST_F(CheckpointStoreTest, StaysTakenHoweverTheDirectorysModeChanges) {
  const CheckpointStore store = claim();
  std::string why;
  for (const unsigned mode : {0755U, 0700U}) {
    fs::permissions(path_, fs::perms(mode));
    EXPECT_EQ(CheckpointStore::claim(path_, files_, why).error(), Errc::endpoint_in_use) << mode;
  }
}

TEST_F(CheckpointStoreTest, WhatAnotherVersionKeepsIsLeftAsItIs) {
  for (const char* name : {"checkpoint", "checkpoint.previous"}) {
    for (const std::string version : {"3", "17"}) {
      fs::remove_all(path_);
      write_two();
      const std::string content = "metricsd checkpoint " + version + "\nwhatever comes then";
      std::ofstream(path_ / name, std::ios::binary | std::ios::trunc) << content;
      std::string why;
      EXPECT_EQ(CheckpointStore::claim(path_, files_, why).error(), Errc::unsupported_protocol);
      EXPECT_THAT(why, HasSubstr(std::string(name) + " in it is of version " + version));
      EXPECT_THAT(why, HasSubstr("--data-dir"));
      std::ifstream file(path_ / name, std::ios::binary);
      EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), content);
      EXPECT_EQ(names(), (std::set<std::string>{"checkpoint", "checkpoint.previous"}));
    }
  }
}

// A directory where a file belongs is put aside.
TEST_F(CheckpointStoreTest, NoDirectoryIsInTheWayForEver) {
  for (const char* name : {"checkpoint", "checkpoint.new", "checkpoint.previous"}) {
    fs::remove_all(path_);
    write_two();
    fs::remove(path_ / name);
    fs::create_directories(path_ / name / "content");
    CheckpointStore store = claim();
    static_cast<void>(load(store));
    ASSERT_TRUE(store.rewrite({FrameKind::base, 5, "base 5"})) << name;
    EXPECT_TRUE(fs::is_directory(path_ / "checkpoint.bad-00000001" / "content"));
    EXPECT_EQ(store.bad_files(), 1U);
    EXPECT_THAT(load(store), ElementsAre("base 5"));
    ASSERT_TRUE(store.rewrite({FrameKind::base, 6, "base 6"})) << name;
  }
}

TEST_F(CheckpointStoreTest, WhatIsNoDirectoryIsSaidSo) {
  fs::create_directories(path_.parent_path());
  std::ofstream(path_) << "a file";
  std::string why;
  EXPECT_FALSE(CheckpointStore::claim(path_, files_, why));
  EXPECT_THAT(why, HasSubstr("Not a directory"));
  EXPECT_THAT(why, HasSubstr("--data-dir none"));
}

TEST_F(CheckpointStoreTest, AnEmptyDirectoryHoldsNothing) {
  EXPECT_TRUE(load().empty());
  EXPECT_EQ(restored_.source, Restored::Source::nothing);
  EXPECT_FALSE(restored_.is_behind);
  EXPECT_TRUE(restored_.damaged.empty());
}

TEST_F(CheckpointStoreTest, TheLastStateIsRead) {
  write_two();
  EXPECT_THAT(load(), ElementsAre("base 3", "more 4"));
  EXPECT_EQ(restored_.source, Restored::Source::checkpoint);
  EXPECT_EQ(restored_.generation, 4U);
  EXPECT_EQ(restored_.frames, 2U);
  EXPECT_EQ(restored_.bytes, fs::file_size(path_ / "checkpoint"));
  EXPECT_FALSE(restored_.is_behind);
  EXPECT_EQ(names(), (std::set<std::string>{"checkpoint", "checkpoint.previous"}));
}

TEST_F(CheckpointStoreTest, ATornIncrementWasNeverPromised) {
  write_two();
  fs::resize_file(path_ / "checkpoint", fs::file_size(path_ / "checkpoint") - 1);
  EXPECT_THAT(load(), ElementsAre("base 3"));
  EXPECT_FALSE(restored_.is_behind);
  EXPECT_TRUE(restored_.damaged.empty());
  EXPECT_EQ(restored_.torn_bytes, 40U + 5U);  // a person who cut the file should see it
  write_two();
  EXPECT_THAT(load(), ElementsAre("base 3", "more 4"));
  EXPECT_EQ(restored_.torn_bytes, 0U);
}

// At every offset: what is before the damage counts, or the previous file; the damaged one is kept.
TEST_F(CheckpointStoreTest, EveryFlippedByteIsSurvivedAndKept) {
  write_two();
  const std::size_t size = fs::file_size(path_ / "checkpoint");
  const std::size_t base_end = size - 40 - 6;
  for (std::size_t at = 0; at < size; ++at) {
    fs::remove_all(path_);
    write_two();
    flip("checkpoint", at);
    CheckpointStore store = claim();
    const auto state = load(store);
    if (at < base_end) {
      ASSERT_THAT(state, ElementsAre("base 1", "more 2")) << at;
      EXPECT_EQ(restored_.source, Restored::Source::previous);
    } else {
      ASSERT_THAT(state, ElementsAre("base 3")) << at;
      EXPECT_EQ(restored_.source, Restored::Source::checkpoint);
    }
    EXPECT_TRUE(restored_.is_behind);
    ASSERT_THAT(restored_.damaged, SizeIs(1));
    ASSERT_TRUE(store.rewrite({FrameKind::base, 9, "anew"}));
    EXPECT_EQ(store.bad_files(), 1U);
    EXPECT_TRUE(fs::exists(path_ / "checkpoint.bad-00000001"));
    EXPECT_THAT(load(store), ElementsAre("anew"));
    // The good one is still the previous.
    fs::remove(path_ / "checkpoint");
    EXPECT_THAT(load(store), ElementsAre("base 1", "more 2"));
  }
}

TEST_F(CheckpointStoreTest, EveryTruncationIsSurvived) {
  write_two();
  const std::size_t size = fs::file_size(path_ / "checkpoint");
  for (std::size_t left = 0; left < size; ++left) {
    fs::resize_file(path_ / "checkpoint", size);  // as it was or not: what counts is shorter anyway
    fs::remove_all(path_);
    write_two();
    fs::resize_file(path_ / "checkpoint", left);
    const auto state = load();
    if (left < size - 40 - 6) {
      ASSERT_THAT(state, ElementsAre("base 1", "more 2")) << left;
    } else {
      ASSERT_THAT(state, ElementsAre("base 3")) << left;
    }
  }
}

TEST_F(CheckpointStoreTest, TwoDamagedFilesAreNoState) {
  write_two();
  flip("checkpoint", 30);
  flip("checkpoint.previous", 30);
  CheckpointStore store = claim();
  EXPECT_TRUE(load(store).empty());
  EXPECT_EQ(restored_.source, Restored::Source::nothing);
  EXPECT_TRUE(restored_.is_behind);
  EXPECT_THAT(restored_.damaged, SizeIs(2));
  ASSERT_TRUE(store.rewrite({FrameKind::base, 1, "anew"}));
  EXPECT_EQ(names(),
            (std::set<std::string>{"checkpoint", "checkpoint.bad-00000001", "checkpoint.bad-00000002"}));
}

// A frame may be sound and still be no state: what was taken of it must not count.
TEST_F(CheckpointStoreTest, WhatIsNotTakenEndsTheFileThere) {
  {
    CheckpointStore store = claim();
    ASSERT_TRUE(store.rewrite({FrameKind::base, 1, "base 1"}));
    ASSERT_TRUE(store.rewrite({FrameKind::base, 2, "base 2"}));
    ASSERT_TRUE(store.append({FrameKind::increment, 3, "more 3"}));
    ASSERT_TRUE(store.append({FrameKind::increment, 4, "refused"}));
    ASSERT_TRUE(store.append({FrameKind::increment, 5, "more 5"}));
  }
  EXPECT_THAT(load(), ElementsAre("base 2", "more 3"));
  EXPECT_TRUE(restored_.is_behind);
  refused_ = "base 2";
  EXPECT_THAT(load(), ElementsAre("base 1"));
  EXPECT_EQ(restored_.source, Restored::Source::previous);
}

// A crash between the two renames: the file before is the state, nothing is missing.
TEST_F(CheckpointStoreTest, WithoutACheckpointThePreviousIsAllThereWas) {
  write_two();
  fs::rename(path_ / "checkpoint", path_ / "checkpoint.previous");
  std::ofstream(path_ / "checkpoint.new") << "complete or not";
  CheckpointStore store = claim();
  EXPECT_THAT(load(store), ElementsAre("base 3", "more 4"));
  EXPECT_FALSE(restored_.is_behind);
  // Nor is it where the next one fails as well, at whatever call, and the daemon is killed.
  for (std::uint64_t failing = 1; failing <= 8; ++failing) {
    files_.fail_with([&](FaultyFiles::Call, std::uint64_t number) { return number >= failing ? ENOSPC : 0; });
    EXPECT_FALSE(store.rewrite({FrameKind::base, 5, "base 5"}));
    files_.work_again();
    EXPECT_THAT(load(store), ::testing::AnyOf(ElementsAre("base 3", "more 4"), ElementsAre("base 5")));
    EXPECT_FALSE(restored_.is_behind) << failing;
  }
}

// The last file may have been a damaged one, which is no previous one either: what took its place is the
// state.
TEST_F(CheckpointStoreTest, AReplacementIsFinishedAfterAKill) {
  for (const bool is_damaged : {false, true}) {
    fs::remove_all(path_);
    write_two();
    if (is_damaged) flip("checkpoint", fs::file_size(path_ / "checkpoint") - 1);
    {
      CheckpointStore store = claim();
      static_cast<void>(load(store));
      std::size_t renames = 0;
      files_.fail_with([&](FaultyFiles::Call call, std::uint64_t) {
        return call == FaultyFiles::Call::rename && ++renames == 2 ? EIO : 0;
      });
      EXPECT_FALSE(store.rewrite({FrameKind::base, 5, "base 5"}));
      files_.work_again();
    }
    EXPECT_FALSE(fs::exists(path_ / "checkpoint"));
    EXPECT_THAT(load(), ElementsAre("base 5"));
    EXPECT_EQ(restored_.source, Restored::Source::checkpoint);
    EXPECT_FALSE(restored_.is_behind);
    EXPECT_FALSE(fs::exists(path_ / "checkpoint.new"));
  }
}

// Nobody but a person takes the last file away: what was acknowledged since is gone.
TEST_F(CheckpointStoreTest, ACheckpointThatIsGoneIsMissed) {
  write_two();
  fs::remove(path_ / "checkpoint");
  EXPECT_THAT(load(), ElementsAre("base 1", "more 2"));
  EXPECT_TRUE(restored_.is_behind);
}

// A daemon that dies again and again, with a damaged file each time, leaves no more than so many.
TEST_F(CheckpointStoreTest, TheNumberOfFilesIsBounded) {
  for (int i = 0; i < 20; ++i) {
    CheckpointStore store = claim();
    static_cast<void>(load(store));
    ASSERT_TRUE(store.rewrite({FrameKind::base, 1, "base"}));
    ASSERT_TRUE(store.append({FrameKind::increment, 2, "more"}));
    flip("checkpoint", 30);
    std::ofstream(path_ / "checkpoint.new") << "left behind";
  }
  EXPECT_EQ(names(), (std::set<std::string>{"checkpoint", "checkpoint.new", "checkpoint.bad-00000017",
                                            "checkpoint.bad-00000018", "checkpoint.bad-00000019"}));
}

// Whichever call fails, with whatever error: the state before is there, or the new one, whole; and the next
// attempt succeeds.
TEST_F(CheckpointStoreTest, EveryCallMayFail) {
  for (const int error : {EIO, ENOSPC, EROFS, EDQUOT, EACCES}) {
    for (std::uint64_t failing = 1;; ++failing) {
      fs::remove_all(path_);
      files_.work_again();
      write_two();
      CheckpointStore store = claim();
      static_cast<void>(load(store));
      files_.fail_with(
          [&](FaultyFiles::Call, std::uint64_t number) { return number == failing ? error : 0; });
      const auto rewritten = store.rewrite({FrameKind::base, 5, "base 5"});
      const auto appended =
          rewritten ? store.append({FrameKind::increment, 6, "more 6"}) : Result<>(Errc::timed_out);
      const bool has_failed = files_.calls().size() >= failing;
      files_.work_again();
      if (rewritten && appended && !has_failed) break;

      const auto state = load(store);
      if (appended) {
        EXPECT_THAT(state, ElementsAre("base 5", "more 6")) << failing;
      } else {
        EXPECT_FALSE(store.is_open());
        EXPECT_THAT(state, ::testing::AnyOf(ElementsAre("base 3", "more 4"), ElementsAre("base 5"),
                                            ElementsAre("base 5", "more 6")))
            << failing;
      }
      EXPECT_FALSE(restored_.is_behind) << failing;
      ASSERT_TRUE(store.rewrite({FrameKind::base, 7, "base 7"})) << failing;
      EXPECT_THAT(load(store), ElementsAre("base 7"));
    }
  }
}

// Who could not sync a file does not sync it again: the second time would report success.
TEST_F(CheckpointStoreTest, AFileThatWasNotSyncedIsNotWrittenAgain) {
  CheckpointStore store = claim();
  ASSERT_TRUE(store.rewrite({FrameKind::base, 1, "base 1"}));
  files_.fail_with(
      [](FaultyFiles::Call call, std::uint64_t) { return call == FaultyFiles::Call::sync ? EIO : 0; });
  EXPECT_FALSE(store.append({FrameKind::increment, 2, "more 2"}));
  EXPECT_FALSE(store.is_open());
  files_.work_again();
  ASSERT_TRUE(store.rewrite({FrameKind::base, 3, "base 3"}));
  EXPECT_THAT(files_.calls(), ::testing::Contains(FaultyFiles::Call::create));
  EXPECT_THAT(load(store), ElementsAre("base 3"));
}

// An error of the disk that passes costs nothing of what is on it.
TEST_F(CheckpointStoreTest, AnErrorOfReadingThatPassesIsNoDamage) {
  write_two();
  for (std::uint64_t failing = 1; failing <= 8; ++failing) {
    CheckpointStore store = claim();
    files_.fail_with([&](FaultyFiles::Call, std::uint64_t number) { return number == failing ? EIO : 0; });
    EXPECT_THAT(load(store), ElementsAre("base 3", "more 4")) << failing;
    EXPECT_FALSE(restored_.is_behind);
    EXPECT_TRUE(restored_.damaged.empty());
    files_.work_again();
  }
  CheckpointStore store = claim();
  files_.fail_with(
      [&](FaultyFiles::Call call, std::uint64_t) { return call == FaultyFiles::Call::read ? EIO : 0; });
  EXPECT_TRUE(load(store).empty());
  EXPECT_THAT(restored_.damaged,
              ElementsAre("checkpoint: cannot be read", "checkpoint.previous: cannot be read"));
}

// On a full disk the previous file makes room for the next one, but never the only state there is.
TEST_F(CheckpointStoreTest, AFullDiskFindsTheRoomOfThePreviousFile) {
  write_two();
  const auto no_room = [](FaultyFiles::Call call, std::uint64_t) {
    return call == FaultyFiles::Call::write ? ENOSPC : 0;
  };
  {
    CheckpointStore store = claim();
    static_cast<void>(load(store));
    files_.fail_with(no_room);
    EXPECT_FALSE(store.rewrite({FrameKind::base, 5, "base 5"}));
    files_.work_again();
    EXPECT_EQ(names(), (std::set<std::string>{"checkpoint"}));
  }
  fs::rename(path_ / "checkpoint", path_ / "checkpoint.previous");
  CheckpointStore store = claim();
  EXPECT_THAT(load(store), ElementsAre("base 3", "more 4"));
  files_.fail_with(no_room);
  EXPECT_FALSE(store.rewrite({FrameKind::base, 5, "base 5"}));
  files_.work_again();
  EXPECT_EQ(names(), (std::set<std::string>{"checkpoint.previous"}));
}

}  // namespace
}  // namespace metricsd::server
