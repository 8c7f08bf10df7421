#include "account.h"

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

Cost cpu(std::uint64_t ns) {
  return {.user_ns = ns};
}
Cost disk(std::uint64_t bytes) {
  return {.read_bytes = bytes};
}

TEST(Account, TellsWhatIsNew) {
  Account account;
  account.read(cpu(5), disk(7));
  EXPECT_EQ(account.settle(), (Cost{.user_ns = 5, .read_bytes = 7}));
  EXPECT_EQ(account.settle(), Cost{});
  account.read(cpu(6), disk(9));
  EXPECT_EQ(account.settle(), (Cost{.user_ns = 1, .read_bytes = 2}));
}

TEST(Account, NeverFalls) {
  Account account;
  account.read(cpu(5), cpu(7));
  EXPECT_EQ(account.settle(), cpu(12));
  account.read(cpu(3), cpu(1));
  EXPECT_EQ(account.settle(), Cost{});
  account.read(cpu(6), cpu(8));
  EXPECT_EQ(account.settle(), cpu(2));
}

TEST(Account, WhatChildrenHadPaysTheirDebtFirst) {
  Account account;
  account.read(cpu(1), {});
  EXPECT_EQ(account.settle(), cpu(1));
  account.lend(cpu(10));
  account.read(cpu(1), cpu(12));  // 2 more than was seen of them
  EXPECT_EQ(account.settle(), cpu(2));
}

TEST(Account, ADebtMayBePaidOneSampleLate) {
  Account account;
  account.lend(cpu(10));
  EXPECT_EQ(account.settle(), Cost{});
  account.read({}, cpu(10));
  EXPECT_EQ(account.settle(), Cost{});
  account.read({}, cpu(15));
  EXPECT_EQ(account.settle(), cpu(5));
}

TEST(Account, ADebtThatNobodyPaysIsForgiven) {
  Account account;
  account.lend(cpu(10));
  EXPECT_EQ(account.settle(), Cost{});
  EXPECT_EQ(account.settle(), Cost{});
  account.read({}, cpu(4));
  EXPECT_EQ(account.settle(), cpu(4));
}

TEST(Account, DebtsAreOfOneKind) {
  Account account;
  account.lend(cpu(10));
  account.read({}, disk(4));
  EXPECT_EQ(account.settle(), disk(4));
}

TEST(Account, WhoGoesLeavesAllThatWasCounted) {
  Account account;
  account.read(cpu(1), cpu(2));
  EXPECT_EQ(account.settle(), cpu(3));
  account.lend(cpu(4));
  EXPECT_EQ(account.debt(), cpu(7));
  account.read(cpu(100), {});  // not counted yet
  EXPECT_EQ(account.debt(), cpu(7));
}

TEST(Account, BeginsWhereItIs) {
  Account account;
  account.read(cpu(5), {.user_ns = 3, .read_bytes = 7});
  account.begin();
  EXPECT_EQ(account.settle(), Cost{});
  EXPECT_EQ(account.debt(), (Cost{.user_ns = 8, .read_bytes = 7})) << "its parent gets to see all of it";
  account.read(cpu(6), {.user_ns = 3, .read_bytes = 9});
  EXPECT_EQ(account.settle(), (Cost{.user_ns = 1, .read_bytes = 2}));
}

TEST(Account, StorageMayBeginLater) {
  Account account;
  account.read(cpu(5), cpu(3));
  account.begin();
  account.read(cpu(6), {.user_ns = 4, .read_bytes = 7});
  account.begin_storage();
  EXPECT_EQ(account.settle(), cpu(2));
}

TEST(Account, TheLastWordIsOfBoth) {
  Account account;
  account.read(cpu(5), cpu(3));
  EXPECT_EQ(account.settle(), cpu(8));
  account.lend(cpu(2));
  account.read_final(cpu(11));
  EXPECT_EQ(account.settle(), cpu(1));
  account.read_final(cpu(1));  // in other units, and less
  EXPECT_EQ(account.settle(), Cost{});
}

TEST(Cost, StopsAtTheGreatestNumber) {
  const std::uint64_t most = ~std::uint64_t{0};
  EXPECT_EQ(cpu(most) + cpu(1), cpu(most));
  EXPECT_EQ(beyond(cpu(1), cpu(2)), Cost{});
}

}  // namespace
}  // namespace metricsd::tools
