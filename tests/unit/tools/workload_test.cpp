#include "workload.h"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

constexpr Mix kMix{40, 50, 10};
constexpr SizeRange kSize{10, 20};

// Carries a step out as a server would that never fails.
void carry_out(Workload& workload, const Workload::Step& step) {
  if (step.action == Action::upload) workload.exists(step.object, step.size_bytes);
  if (step.action == Action::remove) workload.gone(step.object);
}

TEST(Workload, TouchesOnlyWhatExists) {
  Workload workload(kMix, kSize, 7, "k-", 1);
  std::map<std::size_t, std::uint64_t> server;
  for (int i = 0; i < 10'000; ++i) {
    const auto step = workload.next();
    ASSERT_LT(step.object, 7U);
    if (step.action == Action::upload) {
      ASSERT_GE(step.size_bytes, 10U);
      ASSERT_LE(step.size_bytes, 20U);
      server[step.object] = step.size_bytes;
    } else {
      ASSERT_TRUE(server.contains(step.object));
      ASSERT_EQ(step.size_bytes, server[step.object]);
      if (step.action == Action::remove) server.erase(step.object);
    }
    carry_out(workload, step);
    ASSERT_EQ(workload.existing().size(), server.size());
  }
}

TEST(Workload, KeepsToTheMix) {
  Workload workload(kMix, kSize, 100, "k-", 2);
  std::map<Action, int> counts;
  constexpr int kSteps = 100'000;
  for (int i = 0; i < kSteps; ++i) {
    const auto step = workload.next();
    ++counts[step.action];
    carry_out(workload, step);
  }
  EXPECT_NEAR(counts[Action::upload], 0.40 * kSteps, 0.01 * kSteps);
  EXPECT_NEAR(counts[Action::download], 0.50 * kSteps, 0.01 * kSteps);
  EXPECT_NEAR(counts[Action::remove], 0.10 * kSteps, 0.01 * kSteps);
}

TEST(Workload, UploadsWhereNothingExists) {
  Workload workload({0, 1, 0}, kSize, 1, "k-", 3);
  EXPECT_EQ(workload.next().action, Action::upload);
  workload.exists(0, 10);
  EXPECT_EQ(workload.next().action, Action::download);
  workload.gone(0);
  EXPECT_EQ(workload.next().action, Action::upload);
}

TEST(Workload, ForgettingTwiceOrTheUnknownIsNothing) {
  Workload workload(kMix, kSize, 3, "k-", 4);
  workload.gone(1);
  workload.exists(0, 1);
  workload.exists(2, 1);
  workload.exists(0, 2);
  EXPECT_EQ(workload.existing().size(), 2U);
  workload.gone(0);
  workload.gone(0);
  EXPECT_EQ(workload.existing(), (std::vector<std::size_t>{2}));
}

TEST(Workload, OneSeedChoosesTheSame) {
  Workload one(kMix, kSize, 50, "k-", 5);
  Workload other(kMix, kSize, 50, "k-", 5);
  for (int i = 0; i < 100; ++i) {
    const auto step = one.next();
    const auto twin = other.next();
    ASSERT_EQ(step.action, twin.action);
    ASSERT_EQ(step.object, twin.object);
    ASSERT_EQ(step.size_bytes, twin.size_bytes);
    carry_out(one, step);
    carry_out(other, twin);
  }
}

TEST(Workload, EveryObjectHasItsOwnKey) {
  const Workload workload(kMix, kSize, 100, "k-", 6);
  std::set<std::string> keys;
  for (std::size_t i = 0; i < 100; ++i) keys.insert(workload.key(i));
  EXPECT_EQ(keys.size(), 100U);
}

}  // namespace
}  // namespace metricsd::tools
