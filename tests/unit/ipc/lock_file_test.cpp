#include "lock_file.h"

#include <metricsd/support/temporary_directory.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::ipc {
namespace {

namespace fs = std::filesystem;

class LockFileTest : public ::testing::Test {
 protected:
  [[nodiscard]] Result<LockFile> acquire() { return LockFile::acquire(directory_.get(), "lock"); }
  [[nodiscard]] fs::path file() const { return temporary_.path() / "lock"; }

  support::TemporaryDirectory temporary_;
  UniqueFd directory_{::open(temporary_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
};

TEST_F(LockFileTest, IsHeldByOneAtATime) {
  auto first = acquire();
  ASSERT_TRUE(first) << first.error().message();
  const auto second = acquire();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), Errc::endpoint_in_use);
}

TEST_F(LockFileTest, IsTheOwnersAlone) {
  const auto lock = acquire();
  ASSERT_TRUE(lock);
  struct stat status {};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0177, 0U);
}

TEST_F(LockFileTest, GoesWithItsHolder) {
  { ASSERT_TRUE(acquire()); }
  EXPECT_FALSE(fs::exists(file()));
  EXPECT_TRUE(acquire());
}

TEST_F(LockFileTest, TakesAFileThatADeadHolderLeft) {
  std::ofstream(file()) << "left";
  const auto lock = acquire();
  EXPECT_TRUE(lock);
}

TEST_F(LockFileTest, LeavesAFileThatIsNoLongerItsOwn) {
  {
    const auto lock = acquire();
    ASSERT_TRUE(lock);
    fs::remove(file());
    std::ofstream(file()) << "another's";
  }
  EXPECT_TRUE(fs::exists(file()));
}

TEST_F(LockFileTest, FollowsNoLink) {
  const fs::path target = temporary_.path() / "target";
  std::ofstream(target) << "precious";
  fs::create_symlink(target, file());
  const auto lock = acquire();
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error(), Errc::endpoint_untrusted);
  EXPECT_TRUE(fs::exists(target));
}

TEST_F(LockFileTest, RefusesAFifo) {
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  const auto lock = acquire();
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error(), Errc::endpoint_untrusted);
}

// Takes and drops the lock again and again; while it is held, no one else may hold it. Returns how often that
// failed.
int contend(int directory, const fs::path& witness, int rounds) {
  int violations = 0;
  while (rounds > 0) {
    const auto lock = LockFile::acquire(directory, "lock");
    if (!lock && lock.error() == Errc::endpoint_in_use) continue;
    --rounds;
    if (!lock) {
      ++violations;
      continue;
    }
    const UniqueFd alone(::open(witness.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
    if (!alone.valid()) ++violations;
    ::unlink(witness.c_str());
  }
  return violations;
}

TEST_F(LockFileTest, ExcludesProcessesThatComeAndGo) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(contend(directory_.get(), temporary_.path() / "witness", 250) == 0 ? 0 : 1);
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_FALSE(fs::exists(file()));
}

}  // namespace
}  // namespace metricsd::ipc
