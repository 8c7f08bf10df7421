#include "ingest/user_limits.h"

#include <metricsd/models/timestamp.h>

#include <optional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

constexpr uid_t kOwn = 1000;
constexpr uid_t kOther = 1001;
constexpr std::uint64_t kRate = 1000;  // bytes a second

UserLimits make(std::uint64_t connections) {
  return {{.connections = connections, .bytes_per_second = kRate}, {}, kOwn};
}

TEST(UserLimits, AUserHasSoManyPlacesAndGivesThemBack) {
  UserLimits users = make(2);
  auto first = users.enter(kOther, 0);
  const auto second = users.enter(kOther, 0);
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(users.enter(kOther, 0));
  EXPECT_TRUE(users.enter(1002, 0));  // another has its own
  Seat moved = *std::exchange(first, std::nullopt);
  EXPECT_FALSE(users.enter(kOther, 0));
  { const Seat gone = std::move(moved); }
  EXPECT_TRUE(users.enter(kOther, 0));
}

TEST(UserLimits, TheOwnUserAndRootHaveLimitsOfTheirOwn) {
  UserLimits users = make(1);
  std::vector<std::optional<Seat>> seats;
  for (const uid_t uid : {uid_t{0}, kOwn}) {
    for (int i = 0; i < 100; ++i) seats.push_back(users.enter(uid, 0));
  }
  for (const auto& seat : seats) {
    ASSERT_TRUE(seat);
    EXPECT_EQ(seat->rate(), nullptr);
  }
}

TEST(UserLimits, ManyUsersThatAreGoneAreForgottenAndNoDebtIs) {
  UserLimits users = make(1);
  (void)users.enter(kOther, 0)->rate()->reserve(100 * kRate, 0);
  for (uid_t uid = 2000; uid < 3000; ++uid) EXPECT_TRUE(users.enter(uid, 0));
  EXPECT_GT(users.enter(kOther, 0)->rate()->reserve(1, 0), 90 * kNsPerSecond);
}

TEST(UserShare, WhoSendsLessThanItMayNeverWaits) {
  UserShare share({.connections = 1, .bytes_per_second = kRate});
  for (std::int64_t second = 0; second < 100; ++second) {
    EXPECT_LE(share.reserve(kRate, second * kNsPerSecond), second * kNsPerSecond);
  }
}

TEST(UserShare, WhoSendsMoreIsReadAtTheRate) {
  UserShare share({.connections = 1, .bytes_per_second = kRate});
  std::int64_t now_ns = 0;
  constexpr int kReads = 100;
  for (int i = 0; i < kReads; ++i) now_ns = std::max(now_ns, share.reserve(kRate, now_ns));
  // But for what it could have at once, a second each.
  EXPECT_LE(now_ns, (kReads - 1) * kNsPerSecond);
  EXPECT_GE(now_ns, (kReads - 2) * kNsPerSecond);
}

TEST(UserShare, ConnectionsHaveTheirTurnsInTheOrderOfAsking) {
  UserShare share({.connections = 1, .bytes_per_second = kRate});
  std::int64_t before_ns = share.reserve(kRate, 0);
  for (int connection = 1; connection < 10; ++connection) {
    const std::int64_t turn_ns = share.reserve(kRate, 0);
    EXPECT_EQ(turn_ns - before_ns, kNsPerSecond);
    before_ns = turn_ns;
  }
}

}  // namespace
}  // namespace metricsd::server
