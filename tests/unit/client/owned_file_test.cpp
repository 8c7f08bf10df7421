#include "owned_file.h"

#include <metricsd/ipc/segment_layout.h>
#include <metricsd/support/temporary_directory.h>

#include <cstdint>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBytes = std::size_t{1} << 20;

class OwnedFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    struct statfs status {};
    if (::statfs("/dev/shm", &status) != 0 || status.f_type != TMPFS_MAGIC) {
      GTEST_SKIP() << "there is no tmpfs to be had";
    }
    shared_.emplace("/dev/shm");
  }
  [[nodiscard]] fs::path directory() const { return shared_->path() / "segments"; }
  [[nodiscard]] std::ptrdiff_t names() const {
    return std::distance(fs::directory_iterator(directory()), fs::directory_iterator());
  }

  std::optional<support::TemporaryDirectory> shared_;
};

TEST_F(OwnedFileTest, HasNoNameUntilItGetsOne) {
  OwnedFile file({directory()}, kBytes);
  EXPECT_EQ(names(), 0);
  EXPECT_EQ(file.path(), "");
  file.set_name("one");
  EXPECT_EQ(file.path(), directory() / "one");
  struct stat status {};
  ASSERT_EQ(::stat(file.path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(status.st_size, static_cast<off_t>(kBytes));
  ASSERT_EQ(::stat(directory().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700U);
  file.set_name("two");
  EXPECT_EQ(file.path(), directory() / "two");
  EXPECT_EQ(names(), 1);
  file.remove_name();
  EXPECT_EQ(names(), 0);
}

TEST_F(OwnedFileTest, TakesItsNameAlongUnlessItIsLeft) {
  { OwnedFile({directory()}, kBytes).set_name("gone"); }
  EXPECT_EQ(names(), 0);
  {
    OwnedFile file({directory()}, kBytes);
    file.set_name("left");
    file.leave();
  }
  EXPECT_TRUE(fs::exists(directory() / "left"));
}

TEST_F(OwnedFileTest, TakesTheFirstDirectoryThatIsFit) {
  const support::TemporaryDirectory elsewhere;  // mostly on a disk
  struct statfs status {};
  ASSERT_EQ(::statfs(elsewhere.path().c_str(), &status), 0);
  const bool is_disk = status.f_type != TMPFS_MAGIC;
  fs::create_directory(shared_->path() / "open");
  fs::permissions(shared_->path() / "open", fs::perms::all);
  fs::create_directory(shared_->path() / "target");
  fs::create_directory_symlink(shared_->path() / "target", shared_->path() / "link");
  OwnedFile file(
      {is_disk ? elsewhere.path() / "segments" : shared_->path() / "open", shared_->path() / "open",
       shared_->path() / "link", shared_->path() / "missing" / "segments", directory()},
      kBytes);
  file.set_name("one");
  EXPECT_EQ(file.path(), directory() / "one");
  EXPECT_FALSE(fs::exists(shared_->path() / "missing"));  // nobody's to make
}

TEST_F(OwnedFileTest, MakesTheDaemonsUsualDirectory) {
  OwnedFile file({shared_->path() / "metricsd" / "segments"}, kBytes);
  file.set_name("one");
  EXPECT_TRUE(fs::exists(shared_->path() / "metricsd" / "segments" / "one"));
}

TEST_F(OwnedFileTest, DoesWithoutADirectory) {
  OwnedFile file({}, kBytes);
  ASSERT_NE(file.descriptor(), -1);
  file.set_name("one");
  EXPECT_EQ(file.path(), "");
}

int exit_code_of_child(int (*body)(const std::string&), const std::string& argument) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body(argument));
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct flock first_byte() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_len = 1;
  return lock;
}

TEST_F(OwnedFileTest, IsLockedByItsOwnerAndNotByItsChildren) {
  OwnedFile file({directory()}, kBytes);
  file.set_name("one");
  const auto look = [](const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    struct flock lock = first_byte();
    if (fd < 0 || ::fcntl(fd, F_GETLK, &lock) != 0) return 3;
    return lock.l_type == F_UNLCK ? 0 : lock.l_pid == ::getppid() ? 1 : 2;
  };
  EXPECT_EQ(exit_code_of_child(look, file.path()), 1);
  EXPECT_EQ(exit_code_of_child(look, file.path()), 1);  // the first child's end took nothing along
  const std::string path = file.path();
  file.leave();
  EXPECT_EQ(exit_code_of_child(look, path), 0);
}

// As a daemon that may write to a file, but not remove its name.
void make_old_segment(const fs::path& path, std::uint32_t adopted) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const std::uint64_t magic = ipc::kSegmentMagic;
  ASSERT_EQ(::pwrite(fd.get(), &magic, sizeof magic, offsetof(ipc::SegmentHeader, magic)),
            static_cast<ssize_t>(sizeof magic));
  ASSERT_EQ(::pwrite(fd.get(), &adopted, sizeof adopted, offsetof(ipc::SegmentHeader, adopted)),
            static_cast<ssize_t>(sizeof adopted));
}

// What was just made may be one of this process's own, whose lock would go with a second descriptor.
TEST_F(OwnedFileTest, LeavesYoungFilesOfADirectoryAlone) {
  fs::create_directory(directory());
  make_old_segment(directory() / "adopted", 1);
  const OwnedFile file({directory()}, kBytes);
  EXPECT_TRUE(fs::exists(directory() / "adopted"));
}

// A tmpfs that is more than half full is others'. Needs a mount of its own.
TEST_F(OwnedFileTest, LeavesAFullFileSystemAlone) {
  const auto body = [](const std::string& at) {
    if (::unshare(CLONE_NEWNS) != 0) return 77;
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
    if (::mount("tmpfs", at.c_str(), "tmpfs", 0, "size=4m,mode=0700") != 0) return 77;
    const fs::path directory = fs::path(at) / "segments";
    {
      OwnedFile file({directory}, kBytes);
      file.set_name("one");
      if (file.path().empty()) return 1;
    }
    const UniqueFd filler(::open((at + "/filler").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (::fallocate(filler.get(), 0, 0, 3 << 20) != 0) return 2;
    OwnedFile file({directory}, kBytes);
    file.set_name("one");
    return file.path().empty() && file.descriptor() != -1 ? 0 : 3;
  };
  const int code = exit_code_of_child(body, shared_->path());
  if (code == 77) GTEST_SKIP() << "no file system may be mounted here";
  EXPECT_EQ(code, 0);
}

// As the service's files lay it out: the daemon's directory is its user's, that of the segments root's and
// sticky. Needs a mount of its own.
TEST_F(OwnedFileTest, HasANameBesideADaemonOfTheSystem) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be several users";
  const auto body = [](const std::string& segments) {
    constexpr uid_t kDaemon = 65'534;
    constexpr uid_t kClient = 12'345;
    if (::unshare(CLONE_NEWNS) != 0) return 77;
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
    if (::mount("tmpfs", "/run", "tmpfs", 0, "size=64m,mode=0755") != 0) return 77;
    if (::mkdir("/run/metricsd", 0755) != 0 || ::chown("/run/metricsd", kDaemon, kDaemon) != 0) return 2;
    const bool is_told_to = segments == "there";
    if (is_told_to && ::mkdir("/run/metricsd/segments", 0777) != 0) return 3;
    if (is_told_to && ::chmod("/run/metricsd/segments", 01777) != 0) return 4;
    if (!is_told_to) {  // not even root makes it where it is the daemon's
      const OwnedFile roots({"/run/metricsd/segments"}, kBytes);
      if (fs::exists("/run/metricsd/segments")) return 5;
    }
    if (::setresuid(kClient, kClient, kClient) != 0) return 6;
    OwnedFile file({"/run/metricsd/segments"}, kBytes);
    file.set_name("one");
    return file.path() == (is_told_to ? "/run/metricsd/segments/one" : "") ? 0 : 1;
  };
  const int code = exit_code_of_child(body, "there");
  if (code == 77) GTEST_SKIP() << "no file system may be mounted here";
  EXPECT_EQ(code, 0);
  EXPECT_EQ(exit_code_of_child(body, "missing"), 0);
}

}  // namespace
}  // namespace metricsd::client
