#include "unix_socket.h"

#include <metricsd/ipc/endpoint.h>
#include <metricsd/support/temporary_directory.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::ipc {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr uid_t kNobody = 65534;

// The process's umask while it lives.
class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;
  ~Umask() { ::umask(before_); }

 private:
  mode_t before_;
};

class EndpointTest : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path path() const { return directory_.path() / "metricsd.sock"; }
  [[nodiscard]] fs::path lock_path() const { return directory_.path() / "metricsd.sock.lock"; }

  [[nodiscard]] Result<Endpoint> claim() { return claim(path()); }
  [[nodiscard]] Result<Endpoint> claim(const fs::path& where, mode_t mode = 0660,
                                       const std::string& group = "") {
    explanation_.clear();
    return Endpoint::claim({where, mode, group}, &explanation_);
  }
  void expect_refused(const Result<Endpoint>& claimed, Errc expected) {
    ASSERT_FALSE(claimed);
    EXPECT_EQ(claimed.error(), expected) << claimed.error().message() << ": " << explanation_;
    EXPECT_THAT(explanation_, AllOf(Not(""), Not(HasSubstr("\n"))));
  }

  support::TemporaryDirectory directory_;
  std::string explanation_;
};

struct stat status_of(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status;
}

// A socket at `path` as a daemon leaves it that was killed.
void leave_stale_socket(const fs::path& path) {
  const auto socket = open_unix_socket();
  ASSERT_TRUE(socket);
  ASSERT_TRUE(bind_unix_socket(socket->get(), path));
  ASSERT_EQ(::listen(socket->get(), 1), 0);
}

TEST_F(EndpointTest, ListensAtItsPath) {
  const auto endpoint = claim();
  ASSERT_TRUE(endpoint) << explanation_;
  EXPECT_EQ(endpoint->path(), path());
  const auto client = connect_unix_socket(path());
  ASSERT_TRUE(client) << client.error().message();
  const UniqueFd accepted(::accept4(endpoint->listener(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_TRUE(accepted.valid());
}

TEST_F(EndpointTest, ListensWithoutWaitingAndIsNotInherited) {
  const auto endpoint = claim();
  ASSERT_TRUE(endpoint) << explanation_;
  EXPECT_NE(::fcntl(endpoint->listener(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(endpoint->listener(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(EndpointTest, LeavesNothingBehind) {
  { ASSERT_TRUE(claim()) << explanation_; }
  EXPECT_TRUE(fs::is_empty(directory_.path()));
  EXPECT_TRUE(claim()) << explanation_;
}

TEST_F(EndpointTest, MovesWithWhatItHolds) {
  auto first = claim();
  ASSERT_TRUE(first);
  {
    const Endpoint second(*std::move(first));
    EXPECT_TRUE(connect_unix_socket(path()));
  }
  EXPECT_TRUE(fs::is_empty(directory_.path()));
}

TEST_F(EndpointTest, KnowsTheClientsCredentials) {
  const auto endpoint = claim();
  ASSERT_TRUE(endpoint) << explanation_;
  const auto client = connect_unix_socket(path());
  ASSERT_TRUE(client);
  const UniqueFd accepted(::accept4(endpoint->listener(), nullptr, nullptr, SOCK_CLOEXEC));
  for (const int end : {client->get(), accepted.get()}) {
    const auto peer = peer_credentials(end);
    ASSERT_TRUE(peer);
    EXPECT_EQ(peer->pid, ::getpid());
    EXPECT_EQ(peer->uid, ::geteuid());
    EXPECT_EQ(peer->gid, ::getegid());
  }
  EXPECT_FALSE(peer_credentials(-1));
}

TEST_F(EndpointTest, HasExactlyItsModeWhateverTheUmask) {
  for (const mode_t mask : {0000U, 0022U, 0077U, 0177U, 0777U}) {
    for (const mode_t mode : {0600U, 0660U, 0666U, 0000U}) {
      const Umask umask(mask);
      const auto endpoint = claim(path(), mode);
      ASSERT_TRUE(endpoint) << explanation_;
      EXPECT_EQ(status_of(path()).st_mode & 07777, mode) << std::oct << "umask " << mask;
    }
  }
}

TEST_F(EndpointTest, BelongsToTheGroupItIsTold) {
  const gid_t group = ::geteuid() == 0 ? gid_t{12345} : ::getegid();
  const auto endpoint = claim(path(), 0660, std::to_string(group));
  ASSERT_TRUE(endpoint) << explanation_;
  EXPECT_EQ(status_of(path()).st_gid, group);
  EXPECT_EQ(status_of(path()).st_mode & 07777, 0660U);
}

TEST_F(EndpointTest, RefusesAGroupThatIsNotThereAndLeavesNothingBehind) {
  expect_refused(claim(path(), 0660, "no-such-group-here"), Errc::account_not_found);
  EXPECT_THAT(explanation_, HasSubstr("no-such-group-here"));
  EXPECT_TRUE(fs::is_empty(directory_.path()));
}

TEST_F(EndpointTest, KnowsItsSocketsGroup) {
  const auto endpoint = claim();
  ASSERT_TRUE(endpoint) << explanation_;
  EXPECT_EQ(endpoint->group().value(), status_of(path()).st_gid);
  fs::remove(path());
  EXPECT_FALSE(endpoint->group());
}

TEST_F(EndpointTest, GoesOnWithASocketThatListensAndLeavesItThere) {
  auto socket = open_unix_socket();
  ASSERT_TRUE(socket && bind_unix_socket(socket->get(), path()));
  ASSERT_EQ(::listen(socket->get(), 1), 0);
  const int flags = ::fcntl(socket->get(), F_GETFL);
  ASSERT_EQ(::fcntl(socket->get(), F_SETFL, flags & ~O_NONBLOCK), 0);
  ASSERT_EQ(::fcntl(socket->get(), F_SETFD, 0), 0);
  const auto waiting = connect_unix_socket(path());  // since before there was a daemon
  ASSERT_TRUE(waiting);
  {
    const auto endpoint = Endpoint::inherit(*std::move(socket), &explanation_);
    ASSERT_TRUE(endpoint) << explanation_;
    EXPECT_EQ(endpoint->path(), path());
    EXPECT_EQ(endpoint->group().value(), status_of(path()).st_gid);
    EXPECT_NE(::fcntl(endpoint->listener(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(::fcntl(endpoint->listener(), F_GETFD), FD_CLOEXEC);
    const UniqueFd accepted(::accept4(endpoint->listener(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_TRUE(accepted.valid());
    EXPECT_FALSE(fs::exists(lock_path()));
  }
  EXPECT_TRUE(fs::is_socket(path()));
}

// metricsctl stop asks the kernel who listens: it must not be told of the manager.
TEST_F(EndpointTest, IsKnownAsTheOneWhoListensWhoeverDidBefore) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs two users";
  auto socket = open_unix_socket();
  ASSERT_TRUE(socket && bind_unix_socket(socket->get(), path()));
  ASSERT_EQ(::seteuid(kNobody), 0);
  ASSERT_EQ(::listen(socket->get(), 1), 0);
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(peer_credentials(connect_unix_socket(path())->get())->uid, kNobody);
  const auto endpoint = Endpoint::inherit(*std::move(socket));
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(peer_credentials(connect_unix_socket(path())->get())->uid, 0U);
}

TEST_F(EndpointTest, InheritsNothingButAListeningSocketWithAPath) {
  auto unbound = open_unix_socket();
  expect_refused(Endpoint::inherit(*std::move(unbound), &explanation_), Errc::endpoint_unusable);
  auto silent = open_unix_socket();
  ASSERT_TRUE(bind_unix_socket(silent->get(), path()));
  expect_refused(Endpoint::inherit(*std::move(silent), &explanation_), Errc::endpoint_unusable);
  UniqueFd internet(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::listen(internet.get(), 1), 0);
  expect_refused(Endpoint::inherit(std::move(internet), &explanation_), Errc::endpoint_unusable);
  expect_refused(Endpoint::inherit(UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)), &explanation_),
                 Errc::endpoint_unusable);
  expect_refused(Endpoint::inherit(UniqueFd(), &explanation_), Errc::endpoint_unusable);
}

TEST_F(EndpointTest, RemovesAStaleSocket) {
  leave_stale_socket(path());
  const ino_t stale = status_of(path()).st_ino;
  const UniqueFd keeps_the_inode(::open(path().c_str(), O_PATH | O_CLOEXEC));
  const auto endpoint = claim();
  ASSERT_TRUE(endpoint) << explanation_;
  EXPECT_NE(status_of(path()).st_ino, stale);
  EXPECT_TRUE(connect_unix_socket(path()));
}

TEST_F(EndpointTest, RefusesWhereADaemonLives) {
  const auto first = claim();
  ASSERT_TRUE(first);
  expect_refused(claim(), Errc::endpoint_in_use);
  EXPECT_THAT(explanation_, AllOf(HasSubstr("pid " + std::to_string(::getpid())), HasSubstr(path().string()),
                                  HasSubstr("metricsctl stop")));
  EXPECT_TRUE(connect_unix_socket(path())) << "it must not have been touched";
}

TEST_F(EndpointTest, RefusesWhereSomeoneAnswersWhoHoldsNoLock) {
  const auto first = claim();
  ASSERT_TRUE(first);
  fs::remove(lock_path());
  expect_refused(claim(), Errc::endpoint_in_use);
  EXPECT_TRUE(connect_unix_socket(path()));
}

TEST_F(EndpointTest, RefusesWhereSomeoneIsTooBusyToAnswer) {
  const auto busy = open_unix_socket();
  ASSERT_TRUE(busy && bind_unix_socket(busy->get(), path()));
  ASSERT_EQ(::listen(busy->get(), 0), 0);
  std::vector<UniqueFd> waiting;
  while (auto client = connect_unix_socket(path())) waiting.push_back(*std::move(client));
  ASSERT_FALSE(waiting.empty());
  expect_refused(claim(), Errc::endpoint_in_use);
  EXPECT_TRUE(fs::exists(path()));
}

TEST_F(EndpointTest, RefusesASocketOfAnotherSort) {
  const UniqueFd datagrams(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_TRUE(bind_unix_socket(datagrams.get(), path()));
  expect_refused(claim(), Errc::endpoint_unusable);
  EXPECT_TRUE(fs::exists(path()));
}

TEST_F(EndpointTest, RefusesASymbolicLink) {
  const fs::path target = directory_.path() / "target";
  for (const bool dangling : {true, false}) {
    if (!dangling) leave_stale_socket(target);
    fs::create_symlink(target, path());
    expect_refused(claim(), Errc::endpoint_untrusted);
    EXPECT_TRUE(fs::is_symlink(path()));
    EXPECT_EQ(fs::exists(target), !dangling);
    fs::remove(path());
  }
}

TEST_F(EndpointTest, RefusesAPlantedLockFile) {
  fs::create_symlink(directory_.path() / "target", lock_path());
  expect_refused(claim(), Errc::endpoint_untrusted);
  EXPECT_FALSE(fs::exists(directory_.path() / "target"));
}

TEST_F(EndpointTest, RefusesARegularFile) {
  std::ofstream(path()) << "precious";
  expect_refused(claim(), Errc::endpoint_unusable);
  EXPECT_THAT(explanation_, HasSubstr("exists and is not a socket"));
  EXPECT_EQ(fs::file_size(path()), 8U);
  EXPECT_FALSE(fs::exists(lock_path()));
}

TEST_F(EndpointTest, RefusesADirectoryAtItsPath) {
  fs::create_directory(path());
  expect_refused(claim(), Errc::endpoint_unusable);
}

TEST_F(EndpointTest, RefusesADirectoryThatOthersMayWrite) {
  for (const mode_t mode : {0777U, 0770U, 0702U}) {
    ASSERT_EQ(::chmod(directory_.path().c_str(), mode), 0);
    expect_refused(claim(), Errc::endpoint_untrusted);
    EXPECT_THAT(explanation_, HasSubstr(directory_.path().string()));
  }
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0755), 0);
  EXPECT_TRUE(claim()) << explanation_;
}

TEST_F(EndpointTest, RefusesADirectoryOfAnother) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  ASSERT_EQ(::chown(directory_.path().c_str(), kNobody, static_cast<gid_t>(-1)), 0);
  expect_refused(claim(), Errc::endpoint_untrusted);
  EXPECT_THAT(explanation_, HasSubstr(std::to_string(kNobody)));
}

TEST_F(EndpointTest, TakesADirectoryThatIsStickyAndRoots) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make one";
  ASSERT_EQ(::chmod(directory_.path().c_str(), 01777), 0);
  EXPECT_TRUE(claim()) << explanation_;

  leave_stale_socket(path());
  EXPECT_TRUE(claim()) << explanation_;

  leave_stale_socket(path());
  ASSERT_EQ(::chown(path().c_str(), kNobody, static_cast<gid_t>(-1)), 0);
  expect_refused(claim(), Errc::endpoint_untrusted);
  EXPECT_TRUE(fs::exists(path()));
}

TEST_F(EndpointTest, RefusesAStickyDirectoryOfAUser) {
  if (::geteuid() == 0) GTEST_SKIP() << "root's own are fine";
  ASSERT_EQ(::chmod(directory_.path().c_str(), 01777), 0);
  expect_refused(claim(), Errc::endpoint_untrusted);
}

TEST_F(EndpointTest, MakesAMissingDirectoryForItsOwnerAlone) {
  for (const mode_t mask : {0000U, 0077U}) {
    const Umask umask(mask);
    const fs::path made = directory_.path() / "made";
    {
      const auto endpoint = claim(made / "metricsd.sock");
      ASSERT_TRUE(endpoint) << explanation_;
      EXPECT_EQ(status_of(made).st_mode & 07777, 0700U);
    }
    fs::remove(made);
  }
}

TEST_F(EndpointTest, RefusesADirectoryThatIsNone) {
  const fs::path real = directory_.path() / "real";
  const fs::path link = directory_.path() / "link";
  fs::create_directory(real);
  fs::create_symlink(real, link);
  expect_refused(claim(link / "metricsd.sock"), Errc::endpoint_untrusted);
  std::ofstream(directory_.path() / "file") << "x";
  expect_refused(claim(directory_.path() / "file" / "metricsd.sock"), Errc::endpoint_untrusted);
}

TEST_F(EndpointTest, SaysWhatTheSystemSaysOfADirectoryThatCannotBeMade) {
  const auto claimed = claim(directory_.path() / "no" / "such" / "metricsd.sock");
  ASSERT_FALSE(claimed);
  EXPECT_EQ(claimed.error(), boost::system::errc::no_such_file_or_directory);
  EXPECT_THAT(explanation_, HasSubstr("cannot make the directory"));
}

// A file in `base` whose whole path has `size` bytes.
fs::path path_of_size(const fs::path& base, std::size_t size) {
  return base / std::string(size - base.native().size() - 1, 's');
}

TEST_F(EndpointTest, TakesAPathOfExactlyWhatTheKernelTakes) {
  const fs::path longest = path_of_size(directory_.path(), 107);
  { ASSERT_TRUE(claim(longest)) << explanation_; }
  expect_refused(claim(path_of_size(directory_.path(), 108)), Errc::endpoint_unusable);
  EXPECT_THAT(explanation_, AllOf(HasSubstr("107"), HasSubstr("108"), HasSubstr("--socket")));
  EXPECT_TRUE(fs::is_empty(directory_.path()));
}

TEST_F(EndpointTest, RefusesPathsThatNameNoFile) {
  expect_refused(claim(""), Errc::endpoint_unusable);
  expect_refused(claim(directory_.path() / ""), Errc::endpoint_unusable);
  expect_refused(claim(directory_.path() / ".."), Errc::endpoint_unusable);
  expect_refused(claim(directory_.path() / std::string("a\0b", 3)), Errc::endpoint_unusable);
}

TEST_F(EndpointTest, NeedsNoExplanation) {
  std::ofstream(path()) << "x";
  EXPECT_FALSE(Endpoint::claim({path(), 0660, ""}));
}

TEST_F(EndpointTest, LeavesASuccessorsSocketAlone) {
  {
    const auto endpoint = claim();
    ASSERT_TRUE(endpoint);
    fs::remove(path());
    leave_stale_socket(path());
  }
  EXPECT_TRUE(fs::exists(path()));
}

// Which of the two ends a child of the start race came to; the exit code of the child.
enum Outcome { kWon = 0, kInUse = 1, kOther = 2 };

// A child: waits until `start` is closed, claims, tells on `told`, and holds what it has until `stop` is
// closed.
[[noreturn]] void race(const fs::path& path, int start, int told, int stop) {
  char byte = 0;
  (void)!::read(start, &byte, 1);
  const auto endpoint = Endpoint::claim({path, 0660, ""});
  byte = static_cast<char>(endpoint ? kWon : endpoint.error() == Errc::endpoint_in_use ? kInUse : kOther);
  if (::write(told, &byte, 1) != 1) ::_exit(1);
  (void)!::read(stop, &byte, 1);
  ::_exit(0);  // as if killed: nothing is tidied up
}

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    read = UniqueFd(ends[0]);
    write = UniqueFd(ends[1]);
  }
  UniqueFd read;
  UniqueFd write;
};

// How many of `racers` processes came to each outcome.
std::array<int, 3> outcomes_of_race(const fs::path& path, int racers) {
  Pipe start;
  Pipe told;
  Pipe stop;
  std::vector<pid_t> children;
  for (int i = 0; i < racers; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      start.write = UniqueFd();
      stop.write = UniqueFd();
      race(path, start.read.get(), told.write.get(), stop.read.get());
    }
    if (child > 0) children.push_back(child);
  }
  start.write = UniqueFd();
  told.write = UniqueFd();
  std::array<int, 3> outcomes{};
  for (std::size_t i = 0; i < children.size(); ++i) {
    char outcome = kOther;
    if (::read(told.read.get(), &outcome, 1) == 1) ++outcomes.at(static_cast<std::size_t>(outcome));
  }
  stop.write = UniqueFd();
  for (const pid_t child : children) ::waitpid(child, nullptr, 0);
  return outcomes;
}

TEST_F(EndpointTest, IsWonByOneOfManyStartedAtOnce) {
  constexpr int kRacers = 50;
  // The first race finds an empty directory; the others find what a killed winner left.
  for (int round = 0; round < 4; ++round) {
    EXPECT_THAT(outcomes_of_race(path(), kRacers), ::testing::ElementsAre(1, kRacers - 1, 0))
        << "round " << round;
  }
  EXPECT_TRUE(fs::exists(path()));
}

TEST_F(EndpointTest, IsWonByOneWhoeverMakesTheDirectory) {
  EXPECT_THAT(outcomes_of_race(directory_.path() / "made" / "metricsd.sock", 50),
              ::testing::ElementsAre(1, 49, 0));
}

}  // namespace
}  // namespace metricsd::ipc
