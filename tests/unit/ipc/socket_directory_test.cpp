#include <metricsd/ipc/socket_directory.h>
#include <metricsd/support/temporary_directory.h>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::ipc {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

TEST(SocketDirectoryMode, LetsEveryUserThroughToTheSystemsOnly) {
  EXPECT_EQ(socket_directory_mode("/run/metricsd"), 0755U);
  EXPECT_EQ(socket_directory_mode(fs::path("/run/metricsd//metricsd.sock").parent_path()), 0755U);
  for (const char* other :
       {"/run/metricsd/x", "/tmp/metricsd-0", "/run/user/0/metricsd", "run/metricsd", "."}) {
    EXPECT_EQ(socket_directory_mode(other), 0700U) << other;
  }
}

TEST(SocketDirectory, IsMadeWithItsModeWhateverTheUmask) {
  const support::TemporaryDirectory directory;
  for (const mode_t mask : {0000U, 0777U}) {
    const fs::path made = directory.path() / std::to_string(mask);
    const mode_t before = ::umask(mask);
    const auto opened = make_socket_directory(made);
    ::umask(before);
    ASSERT_TRUE(opened) << opened.error().message();
    EXPECT_EQ(mode_of(made), 0700U);
  }
}

TEST(SocketDirectory, IsLeftAsItIsWhereItIsThere) {
  const support::TemporaryDirectory directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 0750), 0);
  EXPECT_TRUE(make_socket_directory(directory.path()));
  EXPECT_EQ(mode_of(directory.path()), 0750U);
}

TEST(SocketDirectory, IsMadeInOneThatIsThereOnly) {
  const support::TemporaryDirectory directory;
  std::string why;
  EXPECT_FALSE(make_socket_directory(directory.path() / "a" / "b", &why));
  EXPECT_THAT(why, HasSubstr("cannot make the directory"));
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

TEST(SocketDirectory, IsNoLinkAndNoFile) {
  const support::TemporaryDirectory directory;
  fs::create_directory_symlink(directory.path(), directory.path() / "link");
  std::string why;
  EXPECT_EQ(make_socket_directory(directory.path() / "link", &why).error(), Errc::endpoint_untrusted);
  EXPECT_THAT(why, HasSubstr("symbolic link"));
}

TEST(SocketDirectory, IsClosedWhereOthersCannotReplaceWhatStandsInIt) {
  const auto is_closed = [](mode_t mode, uid_t owner) {
    struct stat status {};
    status.st_mode = S_IFDIR | mode;
    status.st_uid = owner;
    return is_closed_to_others(status);
  };
  EXPECT_TRUE(is_closed(0700, 1000));
  EXPECT_TRUE(is_closed(0755, 1000));
  EXPECT_TRUE(is_closed(01777, 0));
  EXPECT_FALSE(is_closed(01777, 1000));
  EXPECT_FALSE(is_closed(0777, 0));
  EXPECT_FALSE(is_closed(0770, 1000));
}

TEST(SocketDirectory, IsNotAnothers) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  const support::TemporaryDirectory directory;
  ASSERT_EQ(::chown(directory.path().c_str(), 65534, static_cast<gid_t>(-1)), 0);
  std::string why;
  EXPECT_EQ(make_socket_directory(directory.path(), &why).error(), Errc::endpoint_untrusted);
  EXPECT_THAT(why, HasSubstr("uid 65534"));
}

}  // namespace
}  // namespace metricsd::ipc
