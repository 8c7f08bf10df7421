#include "run_membership.h"

#include <metricsd/support/temporary_directory.h>

#include <array>
#include <csignal>
#include <optional>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

constexpr std::int64_t kPatience = 60'000'000'000;

// A process that is a member until it is told to go.
class OtherMember {
 public:
  explicit OtherMember(const std::filesystem::path& directory) {
    std::array<int, 2> ready{};
    std::array<int, 2> go{};
    if (::pipe(ready.data()) != 0 || ::pipe(go.data()) != 0) return;
    pid_ = ::fork();
    char byte = 0;
    if (pid_ == 0) {
      auto membership = RunMembership::enter(directory);
      ::close(go[1]);
      static_cast<void>(!::write(ready[1], "x", 1));
      static_cast<void>(!::read(go[0], &byte, 1));
      ::_exit(membership ? 0 : 1);
    }
    static_cast<void>(!::read(ready[0], &byte, 1));
    ::close(ready[0]);
    ::close(ready[1]);
    ::close(go[0]);
    go_ = go[1];
  }
  OtherMember(const OtherMember&) = delete;
  OtherMember& operator=(const OtherMember&) = delete;
  ~OtherMember() { end(0); }

  // Kills it, or lets it go.
  void end(int signal) {
    if (pid_ <= 0) return;
    if (signal != 0) ::kill(pid_, signal);
    ::close(go_);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
  int go_ = -1;
};

class RunMembershipTest : public ::testing::Test {
 protected:
  [[nodiscard]] RunMembership enter() const { return RunMembership::enter(directory_.path()).value(); }

  support::TemporaryDirectory directory_;
};

TEST_F(RunMembershipTest, TheOnlyOneIsTheLast) {
  RunMembership one = enter();
  EXPECT_EQ(one.leave(kPatience).value(), Departure::last);
}

TEST_F(RunMembershipTest, OfOneProcessOnlyTheLastCollectorIsTheLast) {
  RunMembership one = enter();
  RunMembership two = enter();
  EXPECT_EQ(one.leave(kPatience).value(), Departure::others_remain);
  RunMembership three = enter();
  EXPECT_EQ(two.leave(kPatience).value(), Departure::others_remain);
  EXPECT_EQ(three.leave(kPatience).value(), Departure::last);
}

TEST_F(RunMembershipTest, SeesOtherProcesses) {
  OtherMember other(directory_.path());
  RunMembership one = enter();
  EXPECT_EQ(one.leave(kPatience).value(), Departure::others_remain);
}

TEST_F(RunMembershipTest, ADeadProcessIsNoMember) {
  OtherMember other(directory_.path());
  RunMembership one = enter();
  other.end(SIGKILL);
  EXPECT_EQ(one.leave(kPatience).value(), Departure::last);
}

// With POSIX locks, closing any descriptor of the file would let go of everything.
TEST_F(RunMembershipTest, StaysAMemberWhenAnotherOfItsProcessGoes) {
  RunMembership one = enter();
  { const RunMembership two = enter(); }
  static_cast<void>(one.read());
  std::array<int, 2> answer{};
  ASSERT_EQ(::pipe(answer.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto own = RunMembership::enter(directory_.path());
    const char departure = own.value().leave(kPatience).value() == Departure::last ? 'l' : 'o';
    static_cast<void>(!::write(answer[1], &departure, 1));
    ::_exit(0);
  }
  char departure = 0;
  ASSERT_EQ(::read(answer[0], &departure, 1), 1);
  EXPECT_EQ(departure, 'o');
  ::waitpid(child, nullptr, 0);
  ::close(answer[0]);
  ::close(answer[1]);
  EXPECT_EQ(one.leave(kPatience).value(), Departure::last);
}

TEST_F(RunMembershipTest, HoldsTheGateUntilItGoes) {
  std::optional<RunMembership> last(enter());
  ASSERT_EQ(last->leave(kPatience).value(), Departure::last);
  RunMembership joined_meanwhile = enter();
  EXPECT_EQ(joined_meanwhile.leave(0).error(), Errc::timed_out);
  last.reset();
  EXPECT_EQ(joined_meanwhile.leave(kPatience).value(), Departure::last);
}

TEST_F(RunMembershipTest, KeepsTheLinesOfAll) {
  RunMembership one = enter();
  ASSERT_TRUE(one.append("one\n"));
  {
    RunMembership two = enter();
    ASSERT_TRUE(two.append("two\n"));
  }
  EXPECT_EQ(one.read().value(), "one\ntwo\n");
}

TEST_F(RunMembershipTest, FailsWhereThereIsNoDirectory) {
  EXPECT_FALSE(RunMembership::enter(directory_.path() / "none"));
  const RunMembership still_works = enter();
}

}  // namespace
}  // namespace metricsd::client
