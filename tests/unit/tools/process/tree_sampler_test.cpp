// Trees of a /proc that the test writes: each thing that can go wrong, one at a time.
#include "tree_sampler.h"

#include "kernel_units.h"
#include "proc_tree.h"
#include "tree_summary.h"

#include <metricsd/support/manual_clock.h>

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace metricsd::tools {
namespace {

constexpr std::int64_t kSecondNs = kNsPerSecond;

rusage usage_of(long user_seconds, long read_blocks = 0) {
  rusage usage{};
  usage.ru_utime.tv_sec = user_seconds;
  usage.ru_inblock = read_blocks;
  return usage;
}

class TreeSamplerTest : public testing::Test {
 protected:
  TreeSamplerTest() { set({.pid = 1, .parent = 0, .comm = "init", .start = 1}); }

  void set(const FakeProcess& process) { tree_.set(process); }
  TreeSampler sampler(RoleRules rules = {}, Collect collect = {}) {
    return {tree_.roots(), std::move(rules), collect, clock_};
  }
  TreeSample next(TreeSampler& sampler) {
    clock_.advance(kSecondNs);
    return sampler.sample();
  }
  static const RoleSample& role(const TreeSample& sample, std::string_view name) {
    const auto found = std::find_if(sample.roles.begin(), sample.roles.end(),
                                    [&](const RoleSample& each) { return each.role == name; });
    if (found == sample.roles.end()) throw std::runtime_error("no role " + std::string(name));
    return *found;
  }
  static std::vector<pid_t> pids(const TreeSample& sample) {
    std::vector<pid_t> pids;
    for (const ProcessEntry& each : sample.processes) pids.push_back(each.pid);
    return pids;
  }

  ProcTree tree_;
  support::ManualClock clock_;
};

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(TreeSamplerTest, AProcessHasEveryFigure) {
  set({.pid = 42,
       .comm = "make",
       .user = 150,
       .system = 50,
       .threads = 4,
       .start = 4000,
       .virtual_bytes = 1 << 20,
       .resident_pages = 16,
       .read_bytes = 4096,
       .write_bytes = 8192,
       .descriptors = 5});
  auto sampler = this->sampler();
  ASSERT_TRUE(sampler.follow(42));
  const TreeSample first = next(sampler);
  EXPECT_FALSE(first.total.cpu_usage_percent);
  EXPECT_DOUBLE_EQ(first.total.cpu_user_seconds, 1.5);
  EXPECT_DOUBLE_EQ(first.total.cpu_system_seconds, 0.5);
  EXPECT_EQ(first.total.memory_usage_bytes, pages_to_bytes(16));
  EXPECT_EQ(first.total.virtual_memory_bytes, 1U << 20);
  EXPECT_DOUBLE_EQ(first.total.memory_usage_percent.value(),
                   100.0 * static_cast<double>(pages_to_bytes(16)) / (1 << 20));
  EXPECT_EQ(first.total.disk_read_bytes, 4096U);
  EXPECT_EQ(first.total.disk_write_bytes, 8192U);
  EXPECT_EQ(first.total.network_rx_bytes, 0U);
  EXPECT_EQ(first.total.thread_count, 4U);
  EXPECT_EQ(first.total.file_descriptor_count, 5U);
  EXPECT_DOUBLE_EQ(first.total.uptime_seconds, 60);
  EXPECT_EQ(first.total.timestamp, clock_.now());
  EXPECT_EQ(first.total.processes, 1U);
  ASSERT_EQ(first.processes.size(), 1U);
  EXPECT_EQ(first.processes[0].comm, "make");
  EXPECT_EQ(first.processes[0].role, "make");
  EXPECT_FALSE(first.processes[0].sample.cpu_usage_percent);
  EXPECT_NEAR(first.processes[0].start_time_seconds, 1'767'225'600 - 60, 2);

  set({.pid = 42, .comm = "make", .user = 190, .system = 60, .start = 4000});
  const TreeSample second = next(sampler);
  EXPECT_DOUBLE_EQ(second.total.cpu_usage_percent.value(), 50);
  EXPECT_DOUBLE_EQ(second.processes[0].sample.cpu_usage_percent.value(), 50);
  EXPECT_DOUBLE_EQ(role(second, "make").sample.cpu_usage_percent.value(), 50);
  EXPECT_EQ(second.faults, CollectionFaults{});
  EXPECT_TRUE(sampler.is_alive());
}

TEST_F(TreeSamplerTest, WhatIsNotCollectedIsNotThere) {
  set({.pid = 42, .user = 150, .read_bytes = 4096});
  auto sampler = this->sampler({}, {false, false, false, false, false, false});
  sampler.follow(42);
  next(sampler);
  const ProcessSample total = next(sampler).total;
  EXPECT_FALSE(total.cpu_usage_percent);
  EXPECT_EQ(total.cpu_user_seconds, 0);
  EXPECT_FALSE(total.memory_usage_bytes);
  EXPECT_FALSE(total.memory_usage_percent);
  EXPECT_FALSE(total.disk_read_bytes);
  EXPECT_FALSE(total.network_rx_bytes);
  EXPECT_EQ(total.thread_count, 0U);
  EXPECT_FALSE(total.file_descriptor_count);
  EXPECT_EQ(total.processes, 1U);
}

TEST_F(TreeSamplerTest, DescendantsAreFoundWhateverTheirPids) {
  set({.pid = 42, .start = 100});
  set({.pid = 50, .parent = 42, .start = 101});
  set({.pid = 9, .parent = 50, .start = 102});  // pids began again at 2
  set({.pid = 8, .parent = 9, .start = 103});
  set({.pid = 60, .parent = 1, .start = 104});
  auto sampler = this->sampler();
  sampler.follow(42);
  EXPECT_THAT(pids(next(sampler)), ElementsAre(42, 50, 9, 8));
  set({.pid = 7, .parent = 60, .start = 105});
  set({.pid = 6, .parent = 8, .start = 105});
  EXPECT_THAT(pids(next(sampler)), ElementsAre(42, 50, 9, 8, 6));
}

TEST_F(TreeSamplerTest, AloneMeansAlone) {
  set({.pid = 42, .user = 10, .children_user = 500, .start = 100});
  set({.pid = 50, .parent = 42, .user = 10, .start = 101});
  auto sampler = this->sampler();
  sampler.follow(42, TreeSampler::Scope::process);
  const TreeSample sample = next(sampler);
  EXPECT_THAT(pids(sample), ElementsAre(42));
  EXPECT_DOUBLE_EQ(sample.total.cpu_user_seconds, 0.1) << "its own, without its children's";
}

TEST_F(TreeSamplerTest, OneWhoIsFollowedAsATreeAfterAllHasChildren) {
  set({.pid = 42, .start = 100});
  set({.pid = 50, .parent = 42, .start = 101});
  auto sampler = this->sampler();
  sampler.follow(42, TreeSampler::Scope::process);
  EXPECT_THAT(pids(next(sampler)), ElementsAre(42));
  sampler.follow(42);
  EXPECT_THAT(pids(next(sampler)), ElementsAre(42, 50));
}

TEST_F(TreeSamplerTest, WhoIsNotThereIsNotFollowed) {
  auto sampler = this->sampler();
  EXPECT_FALSE(sampler.follow(42));
  const TreeSample sample = next(sampler);
  EXPECT_THAT(sample.processes, IsEmpty());
  EXPECT_EQ(sample.total.processes, 0U);
  EXPECT_FALSE(sample.total.disk_read_bytes);
  EXPECT_FALSE(sample.total.network_rx_bytes);
  EXPECT_FALSE(sampler.is_alive());
}

TEST_F(TreeSamplerTest, WithoutAProcThereIsNothing) {
  TreeSampler sampler({tree_.path("missing"), "/"}, {}, {}, clock_);
  EXPECT_FALSE(sampler.follow(42));
  sampler.follow_orphans_of(1);
  EXPECT_THAT(sampler.sample().processes, IsEmpty());
}

TEST_F(TreeSamplerTest, AChildThatWasWaitedForCountsOnce) {
  set({.pid = 42, .comm = "sh", .user = 10, .start = 100});
  set({.pid = 50, .parent = 42, .comm = "cc", .user = 200, .start = 101});
  auto sampler = this->sampler();
  sampler.follow(42);
  EXPECT_DOUBLE_EQ(next(sampler).total.cpu_user_seconds, 2.1);
  tree_.remove(50);
  set({.pid = 42, .comm = "sh", .user = 10, .children_user = 230, .start = 100});
  const TreeSample sample = next(sampler);
  EXPECT_DOUBLE_EQ(sample.total.cpu_user_seconds, 2.4);
  EXPECT_DOUBLE_EQ(sample.total.cpu_usage_percent.value(), 30);
  EXPECT_DOUBLE_EQ(role(sample, "cc").sample.cpu_user_seconds, 2.0) << "what was seen of it";
  EXPECT_DOUBLE_EQ(role(sample, "sh").sample.cpu_user_seconds, 0.4) << "its last moments are its parent's";
  EXPECT_EQ(role(sample, "cc").sample.processes, 0U);
}

// The kernel counts in ticks until it says exactly what one that has ended used.
TEST_F(TreeSamplerTest, WhatTicksLeftOutIsNotOfTheLastMoment) {
  set({.pid = 42, .user = 0, .start = 100});
  auto sampler = this->sampler();
  sampler.began(clock_.monotonic_ns());
  sampler.follow(42);
  clock_.advance(3 * kNsPerMs);
  EXPECT_FALSE(sampler.sample().total.cpu_usage_percent) << "the first one";
  set({.pid = 42, .user = 97, .start = 100});
  clock_.advance(997 * kNsPerMs);
  EXPECT_DOUBLE_EQ(sampler.sample().total.cpu_usage_percent.value(), 97) << "since it began";
  tree_.remove(42);
  sampler.reaped(42, usage_of(1));
  clock_.advance(5 * kNsPerMs);
  EXPECT_NEAR(sampler.sample().total.cpu_usage_percent.value(), 100 * 1000.0 / 1005, 1e-6);
}

TEST_F(TreeSamplerTest, AShortRunIsOfTheTimeSinceItBegan) {
  set({.pid = 42, .comm = "true", .start = 100});
  auto sampler = this->sampler();
  sampler.began(clock_.monotonic_ns());
  sampler.follow(42);
  clock_.advance(10 * kNsPerMs);
  (void)sampler.sample();
  tree_.remove(42);
  rusage usage{};
  usage.ru_utime.tv_usec = 9000;
  sampler.reaped(42, usage);
  clock_.advance(2 * kNsPerMs);
  const TreeSample sample = sampler.sample();
  EXPECT_NEAR(sample.total.cpu_usage_percent.value(), 75, 1e-6) << "not 450 %";
  EXPECT_EQ(sample.taken_ns - sample.began_ns, 12 * kNsPerMs);
  EXPECT_NEAR(role(sample, "true").sample.cpu_usage_percent.value(), 75, 1e-6);
}

TEST_F(TreeSamplerTest, TheMemoryOfACommandThatIsBeingExecutedIsNotKnown) {
  set({.pid = 42, .comm = "sh", .start = 100, .resident_pages = 0});
  auto sampler = this->sampler();
  sampler.follow(42);
  TreeSample sample = next(sampler);
  EXPECT_FALSE(sample.total.memory_usage_bytes);
  EXPECT_FALSE(sample.total.memory_usage_percent);
  EXPECT_EQ(sample.total.virtual_memory_bytes, 1U << 20);
  set({.pid = 50, .parent = 42, .comm = "cc", .start = 101});
  sample = next(sampler);
  EXPECT_EQ(sample.total.memory_usage_bytes, pages_to_bytes(16)) << "what is known";
  EXPECT_FALSE(role(sample, "sh").sample.memory_usage_bytes);
  set({.pid = 42, .comm = "sh", .start = 100, .resident_pages = 4});
  EXPECT_EQ(next(sampler).total.memory_usage_bytes, pages_to_bytes(20));
}

TEST_F(TreeSamplerTest, AKernelThreadHasNoMemory) {
  set({.pid = 42, .start = 100, .virtual_bytes = 0, .resident_pages = 0});
  auto sampler = this->sampler();
  sampler.follow(42);
  EXPECT_EQ(next(sampler).total.memory_usage_bytes, 0U);
}

TEST_F(TreeSamplerTest, WhoIsGoneHasNoMemoryAndNoDescriptors) {
  set({.pid = 42, .comm = "sh", .start = 100});
  set({.pid = 50, .parent = 42, .comm = "cc", .start = 101});
  auto sampler = this->sampler();
  sampler.follow(42);
  next(sampler);
  tree_.remove(50);
  const TreeSample sample = next(sampler);
  EXPECT_EQ(role(sample, "cc").sample.memory_usage_bytes, 0U);
  EXPECT_EQ(role(sample, "cc").sample.file_descriptor_count, 0U);
}

TEST_F(TreeSamplerTest, AChildThatNobodySawCountsOnce) {
  set({.pid = 42, .comm = "sh", .start = 100});
  auto sampler = this->sampler();
  sampler.follow(42);
  next(sampler);
  set({.pid = 42, .comm = "sh", .children_user = 70, .children_system = 30, .start = 100});
  const TreeSample sample = next(sampler);
  EXPECT_DOUBLE_EQ(sample.total.cpu_user_seconds, 0.7);
  EXPECT_DOUBLE_EQ(sample.total.cpu_system_seconds, 0.3);
  EXPECT_DOUBLE_EQ(next(sampler).total.cpu_user_seconds, 0.7);
}

// The parent's file was read, then the child was waited for, then the child's file was gone.
TEST_F(TreeSamplerTest, AChildThatIsGoneOneSampleEarlierCountsOnce) {
  set({.pid = 42, .start = 100});
  set({.pid = 50, .parent = 42, .user = 200, .start = 101});
  auto sampler = this->sampler();
  sampler.follow(42);
  next(sampler);
  tree_.remove(50);
  EXPECT_DOUBLE_EQ(next(sampler).total.cpu_user_seconds, 2.0);
  set({.pid = 42, .children_user = 200, .start = 100});
  EXPECT_DOUBLE_EQ(next(sampler).total.cpu_user_seconds, 2.0);
  set({.pid = 42, .children_user = 210, .start = 100});
  EXPECT_DOUBLE_EQ(next(sampler).total.cpu_user_seconds, 2.1);
}

TEST_F(TreeSamplerTest, AChildThatNobodyWaitsForStaysInTheTotal) {
  set({.pid = 42, .user = 1, .start = 100});
  set({.pid = 50, .parent = 42, .user = 200, .start = 101});
  auto sampler = this->sampler();
  sampler.follow(42);
  next(sampler);
  tree_.remove(50);
  for (int i = 0; i < 3; ++i) EXPECT_DOUBLE_EQ(next(sampler).total.cpu_user_seconds, 2.01);
  set({.pid = 42, .user = 1, .children_user = 50, .start = 100});
  EXPECT_DOUBLE_EQ(next(sampler).total.cpu_user_seconds, 2.51) << "and hides nobody else's";
}

TEST_F(TreeSamplerTest, AWholeBranchThatWasWaitedForCountsOnce) {
  set({.pid = 42, .start = 100});
  set({.pid = 50, .parent = 42, .user = 100, .children_user = 30, .start = 101});
  set({.pid = 60, .parent = 50, .user = 200, .start = 102});
  set({.pid = 70, .parent = 60, .user = 400, .start = 103});
  auto sampler = this->sampler();
  sampler.follow(42);
  EXPECT_DOUBLE_EQ(next(sampler).total.cpu_user_seconds, 7.3);
  for (const pid_t pid : {50, 60, 70}) tree_.remove(pid);
  set({.pid = 42, .children_user = 740, .start = 100});
  EXPECT_DOUBLE_EQ(next(sampler).total.cpu_user_seconds, 7.4);
}

TEST_F(TreeSamplerTest, StorageOfAChildCountsOnce) {
  set({.pid = 42, .comm = "sh", .start = 100, .read_bytes = 1, .write_bytes = 2});
  set({.pid = 50, .parent = 42, .comm = "dd", .start = 101, .read_bytes = 1000, .write_bytes = 2000});
  auto sampler = this->sampler();
  sampler.follow(42);
  EXPECT_EQ(next(sampler).total.disk_read_bytes, 1001U);
  tree_.remove(50);
  set({.pid = 42, .comm = "sh", .start = 100, .read_bytes = 1101, .write_bytes = 2202});
  const TreeSample sample = next(sampler);
  EXPECT_EQ(sample.total.disk_read_bytes, 1101U);
  EXPECT_EQ(sample.total.disk_write_bytes, 2202U);
  EXPECT_EQ(role(sample, "dd").sample.disk_read_bytes, 1000U);
  EXPECT_EQ(role(sample, "sh").sample.disk_read_bytes, 101U);
  EXPECT_EQ(sample.processes[0].sample.disk_read_bytes, 1101U) << "as the kernel has it";
}

TEST_F(TreeSamplerTest, ADoubleForkIsFollowedToWhoAdoptsIt) {
  set({.pid = 10, .comm = "harness", .start = 50});
  set({.pid = 42, .parent = 10, .comm = "sh", .start = 100});
  set({.pid = 50, .parent = 42, .comm = "sh", .start = 101});
  set({.pid = 60, .parent = 50, .comm = "daemon", .user = 100, .start = 102});
  auto sampler = this->sampler();
  sampler.follow(42);
  sampler.follow_orphans_of(10);
  EXPECT_THAT(pids(next(sampler)), ElementsAre(42, 50, 60));
  tree_.remove(50);
  set({.pid = 60, .parent = 10, .comm = "daemon", .user = 150, .start = 102});
  set({.pid = 70, .parent = 10, .comm = "unseen", .user = 10, .start = 103});
  const TreeSample sample = next(sampler);
  EXPECT_THAT(pids(sample), ElementsAre(42, 60, 70));
  EXPECT_DOUBLE_EQ(sample.total.cpu_user_seconds, 1.6);
}

TEST_F(TreeSamplerTest, WhatTheHarnessWaitedForIsExact) {
  set({.pid = 10, .comm = "harness", .start = 50});
  set({.pid = 42, .parent = 10, .comm = "sh", .user = 100, .start = 100, .read_bytes = 512});
  set({.pid = 50, .parent = 42, .comm = "cc", .user = 200, .start = 101});
  auto sampler = this->sampler();
  sampler.follow(42);
  sampler.follow_orphans_of(10);
  next(sampler);
  tree_.remove(42);
  tree_.remove(50);
  sampler.reaped(42, usage_of(5, 3));
  const TreeSample sample = next(sampler);
  EXPECT_DOUBLE_EQ(sample.total.cpu_user_seconds, 5.0);
  EXPECT_EQ(sample.total.disk_read_bytes, 3 * kBlockBytes);
  EXPECT_DOUBLE_EQ(role(sample, "cc").sample.cpu_user_seconds, 2.0);
  EXPECT_DOUBLE_EQ(role(sample, "sh").sample.cpu_user_seconds, 3.0);
  EXPECT_FALSE(sampler.is_alive());
  EXPECT_DOUBLE_EQ(next(sampler).total.cpu_user_seconds, 5.0);
}

TEST_F(TreeSamplerTest, AnOrphanTheHarnessWaitedForIsNobodyElsesDebt) {
  set({.pid = 10, .comm = "harness", .start = 50});
  set({.pid = 42, .parent = 10, .start = 100});
  set({.pid = 50, .parent = 42, .start = 101});
  set({.pid = 60, .parent = 50, .user = 200, .start = 102});
  auto sampler = this->sampler();
  sampler.follow(42);
  sampler.follow_orphans_of(10);
  next(sampler);
  tree_.remove(50);
  tree_.remove(60);
  sampler.reaped(60, usage_of(3));
  set({.pid = 42, .children_user = 100, .start = 100});  // of others that it waited for
  EXPECT_DOUBLE_EQ(next(sampler).total.cpu_user_seconds, 4.0);
}

TEST_F(TreeSamplerTest, AnOrphanThatNobodySawCountsFromItsEnd) {
  set({.pid = 42, .comm = "sh", .start = 100});
  auto sampler = this->sampler();
  sampler.follow(42);
  next(sampler);
  sampler.reaped(99, usage_of(2, 4));
  const TreeSample sample = next(sampler);
  EXPECT_DOUBLE_EQ(sample.total.cpu_user_seconds, 2.0);
  EXPECT_DOUBLE_EQ(role(sample, "sh").sample.cpu_user_seconds, 2.0);
  EXPECT_EQ(sample.total.disk_read_bytes, 4 * kBlockBytes);
}

TEST_F(TreeSamplerTest, WhoEndsBeforeTheFirstSampleIsCounted) {
  set({.pid = 42, .comm = "true", .start = 100});
  auto sampler = this->sampler();
  ASSERT_TRUE(sampler.follow(42));
  tree_.remove(42);
  sampler.reaped(42, usage_of(1));
  const TreeSample sample = next(sampler);
  EXPECT_DOUBLE_EQ(role(sample, "true").sample.cpu_user_seconds, 1.0);
  EXPECT_EQ(sample.total.processes, 0U);
}

TEST_F(TreeSamplerTest, WhatIsAttachedToCountsFromThen) {
  set({.pid = 42, .comm = "sh", .user = 5000, .children_user = 700, .start = 100, .read_bytes = 4000});
  set({.pid = 50, .parent = 42, .comm = "cc", .user = 900, .start = 101, .read_bytes = 300});
  auto sampler = this->sampler();
  ASSERT_TRUE(sampler.attach(42));
  const TreeSample first = next(sampler);
  EXPECT_EQ(first.total.cpu_user_seconds, 0);
  EXPECT_EQ(first.total.disk_read_bytes, 0U);
  EXPECT_EQ(first.total.processes, 2U);

  set({.pid = 42, .comm = "sh", .user = 5010, .children_user = 700, .start = 100, .read_bytes = 4001});
  set({.pid = 50, .parent = 42, .comm = "cc", .user = 920, .start = 101, .read_bytes = 302});
  set({.pid = 60, .parent = 50, .comm = "as", .user = 40, .start = 10'050, .read_bytes = 4});
  const TreeSample second = next(sampler);
  EXPECT_DOUBLE_EQ(second.total.cpu_user_seconds, 0.7) << "of the new one all it did";
  EXPECT_DOUBLE_EQ(second.total.cpu_usage_percent.value(), 70);
  EXPECT_EQ(second.total.disk_read_bytes, 7U);
  EXPECT_DOUBLE_EQ(role(second, "cc").sample.cpu_user_seconds, 0.2);

  tree_.remove(50);
  tree_.remove(60);
  set({.pid = 42, .comm = "sh", .user = 5010, .children_user = 1665, .start = 100, .read_bytes = 4310});
  const TreeSample third = next(sampler);
  EXPECT_DOUBLE_EQ(third.total.cpu_user_seconds, 0.75) << "and not what the old one had done before";
  EXPECT_EQ(third.total.disk_read_bytes, 10U);
}

TEST_F(TreeSamplerTest, OneThatIsAttachedToLaterCountsFromThen) {
  set({.pid = 42, .comm = "sh", .start = 100});
  auto sampler = this->sampler();
  ASSERT_TRUE(sampler.attach(42));
  next(sampler);
  set({.pid = 50, .comm = "sleep", .user = 250, .start = 10'050, .read_bytes = 4096});
  tree_.write("uptime", "103.00 50.00\n");
  ASSERT_TRUE(sampler.attach(50));
  const TreeSample sample = next(sampler);
  EXPECT_EQ(sample.total.cpu_usage_percent, 0) << "not 250 %";
  EXPECT_EQ(sample.total.disk_read_bytes, 0U);
  ASSERT_TRUE(sampler.attach(50));
  set({.pid = 50, .comm = "sleep", .user = 260, .start = 10'050, .read_bytes = 4096});
  EXPECT_DOUBLE_EQ(next(sampler).total.cpu_user_seconds, 0.1) << "attached to once";
}

TEST_F(TreeSamplerTest, StorageThatIsOpenedToUsLaterCountsFromThen) {
  set({.pid = 42, .start = 100, .read_bytes = 1000});
  tree_.remove("42/io");
  auto sampler = this->sampler();
  ASSERT_TRUE(sampler.attach(42));
  EXPECT_FALSE(next(sampler).total.disk_read_bytes);
  set({.pid = 42, .start = 100, .read_bytes = 1000});
  EXPECT_EQ(next(sampler).total.disk_read_bytes, 0U);
  set({.pid = 42, .start = 100, .read_bytes = 1001});
  EXPECT_EQ(next(sampler).total.disk_read_bytes, 1U);
}

TEST_F(TreeSamplerTest, WhatNobodyWaitedForIsLostAndNotNothing) {
  set({.pid = 42, .comm = "burn", .user = 100, .start = 100});
  set({.pid = 50, .comm = "other", .start = 100});
  auto sampler = this->sampler();
  sampler.attach(42);
  sampler.attach(50);
  next(sampler);
  tree_.remove(42);
  TreeSample sample = next(sampler);
  EXPECT_EQ(sample.faults, (CollectionFaults{.lost = 1}));
  EXPECT_FALSE(sample.total.cpu_usage_percent);
  EXPECT_FALSE(role(sample, "burn").sample.cpu_usage_percent);
  EXPECT_EQ(role(sample, "other").sample.cpu_usage_percent, 0);
  set({.pid = 50, .comm = "other", .user = 10, .start = 100});
  sample = next(sampler);
  EXPECT_EQ(sample.faults.lost, 1U);
  EXPECT_DOUBLE_EQ(sample.total.cpu_usage_percent.value(), 10);
}

TEST_F(TreeSamplerTest, WhoWasSeenAsAZombieIsNotLost) {
  set({.pid = 42, .user = 100, .start = 100});
  auto sampler = this->sampler();
  sampler.follow(42);
  next(sampler);
  set({.pid = 42, .state = 'Z', .user = 120, .start = 100});
  EXPECT_DOUBLE_EQ(next(sampler).total.cpu_usage_percent.value(), 20);
  tree_.remove(42);
  const TreeSample sample = next(sampler);
  EXPECT_EQ(sample.faults.lost, 0U);
  EXPECT_EQ(sample.total.cpu_usage_percent, 0);
}

TEST_F(TreeSamplerTest, APidThatIsUsedAgainIsAnother) {
  set({.pid = 42, .start = 100});
  set({.pid = 50, .parent = 42, .comm = "old", .user = 100, .start = 101});
  auto sampler = this->sampler();
  sampler.follow(42);
  next(sampler);
  set({.pid = 50, .parent = 42, .comm = "new", .user = 5, .start = 200});
  set({.pid = 42, .children_user = 100, .start = 100});
  const TreeSample sample = next(sampler);
  EXPECT_EQ(sample.faults.reused, 1U);
  EXPECT_DOUBLE_EQ(sample.total.cpu_user_seconds, 1.05);
  EXPECT_DOUBLE_EQ(role(sample, "new").sample.cpu_user_seconds, 0.05);
  EXPECT_FALSE(sample.processes[1].sample.cpu_usage_percent) << "its first sample";
}

TEST_F(TreeSamplerTest, TheRootsPidMayBeUsedAgain) {
  set({.pid = 42, .user = 100, .start = 100});
  auto sampler = this->sampler();
  sampler.follow(42);
  next(sampler);
  set({.pid = 42, .parent = 1, .user = 7777, .start = 300});
  const TreeSample sample = next(sampler);
  EXPECT_THAT(sample.processes, IsEmpty());
  EXPECT_DOUBLE_EQ(sample.total.cpu_user_seconds, 1.0);
  EXPECT_FALSE(sampler.is_alive());
}

TEST_F(TreeSamplerTest, ThePidOfOneThatWasFollowedMayBeFollowedAgain) {
  set({.pid = 42, .user = 100, .start = 100});
  auto sampler = this->sampler();
  sampler.follow(42);
  next(sampler);
  set({.pid = 42, .user = 7, .start = 300});
  ASSERT_TRUE(sampler.follow(42));
  set({.pid = 50, .parent = 42, .start = 301});
  EXPECT_DOUBLE_EQ(next(sampler).total.cpu_user_seconds, 1.07);
  EXPECT_THAT(pids(next(sampler)), ElementsAre(42, 50));
}

TEST_F(TreeSamplerTest, AStrangersPidMayBecomeOneOfOurs) {
  set({.pid = 42, .start = 100});
  set({.pid = 50, .parent = 1, .start = 101});
  auto sampler = this->sampler();
  sampler.follow(42);
  EXPECT_THAT(pids(next(sampler)), ElementsAre(42));
  set({.pid = 50, .parent = 42, .start = 200});
  clock_.advance(60 * kSecondNs);
  EXPECT_THAT(pids(next(sampler)), ElementsAre(42, 50));
}

TEST_F(TreeSamplerTest, AParentIsNotYoungerThanItsChild) {
  set({.pid = 42, .start = 100});
  set({.pid = 50, .parent = 42, .start = 99});
  auto sampler = this->sampler();
  sampler.follow(42);
  EXPECT_THAT(pids(next(sampler)), ElementsAre(42));
}

TEST_F(TreeSamplerTest, ParentsInACircleAreNobodys) {
  set({.pid = 42, .start = 100});
  set({.pid = 50, .parent = 51, .start = 101});
  set({.pid = 51, .parent = 50, .start = 101});
  auto sampler = this->sampler();
  sampler.follow(42);
  EXPECT_THAT(pids(next(sampler)), ElementsAre(42));
}

TEST_F(TreeSamplerTest, AZombieKeepsItsCpuAndHasNothingElse) {
  set({.pid = 42, .start = 100});
  set({.pid = 50, .parent = 42, .user = 100, .start = 101});
  auto sampler = this->sampler();
  sampler.follow(42);
  next(sampler);
  FakeProcess zombie{.pid = 50, .parent = 42, .state = 'Z', .user = 120, .start = 101};
  zombie.stack_start = 0;
  set(zombie);
  tree_.remove("50/fd");
  const TreeSample sample = next(sampler);
  EXPECT_DOUBLE_EQ(sample.total.cpu_user_seconds, 1.2);
  EXPECT_EQ(sample.total.processes, 1U);
  EXPECT_EQ(sample.total.thread_count, 1U);
  EXPECT_EQ(sample.total.memory_usage_bytes, pages_to_bytes(16));
  EXPECT_THAT(pids(sample), ElementsAre(42));
  EXPECT_EQ(sample.faults.zombies, 1U);
  EXPECT_EQ(next(sampler).faults.zombies, 1U) << "counted once";
  tree_.remove(50);
  set({.pid = 42, .children_user = 120, .start = 100});
  EXPECT_DOUBLE_EQ(next(sampler).total.cpu_user_seconds, 1.2);
}

TEST_F(TreeSamplerTest, ATreeOfZombiesIsNotAlive) {
  set({.pid = 42, .state = 'Z', .user = 100, .start = 100});
  auto sampler = this->sampler();
  sampler.follow(42);
  EXPECT_DOUBLE_EQ(next(sampler).total.cpu_user_seconds, 1.0);
  EXPECT_FALSE(sampler.is_alive());
}

TEST_F(TreeSamplerTest, FilesThatAreCutOffLeaveWhatIsKnown) {
  set({.pid = 42, .user = 100, .start = 100, .read_bytes = 10});
  auto sampler = this->sampler();
  sampler.follow(42);
  next(sampler);
  tree_.write("42/stat", "");
  TreeSample sample = next(sampler);
  EXPECT_EQ(sample.faults.malformed, 1U);
  EXPECT_DOUBLE_EQ(sample.total.cpu_user_seconds, 1.0);
  tree_.write("42/stat", "42 (fake) S 1 1 1");
  tree_.write("42/io", "rchar: 1\n");
  sample = next(sampler);
  EXPECT_EQ(sample.faults.malformed, 2U);
  EXPECT_EQ(sample.total.disk_read_bytes, 10U);
  set({.pid = 42, .user = 400, .start = 100, .read_bytes = 30});
  sample = next(sampler);
  EXPECT_DOUBLE_EQ(sample.total.cpu_user_seconds, 4.0);
  EXPECT_DOUBLE_EQ(sample.processes[0].sample.cpu_usage_percent.value(), 100) << "of the three seconds since";
}

TEST_F(TreeSamplerTest, FilesThatAreClosedToUsAreNothing) {
  if (::geteuid() == 0) GTEST_SKIP() << "nothing is closed to root";
  set({.pid = 42, .user = 100, .start = 100, .read_bytes = 10});
  std::filesystem::permissions(tree_.path("42/io"), std::filesystem::perms::none);
  std::filesystem::permissions(tree_.path("42/fd"), std::filesystem::perms::none);
  auto sampler = this->sampler();
  sampler.follow(42);
  next(sampler);
  const TreeSample sample = next(sampler);
  EXPECT_DOUBLE_EQ(sample.total.cpu_user_seconds, 1.0);
  EXPECT_FALSE(sample.total.disk_read_bytes);
  EXPECT_FALSE(sample.total.file_descriptor_count);
  EXPECT_EQ(sample.faults.denied, 1U);
}

TEST_F(TreeSamplerTest, FilesThatCanNotBeReadAreCounted) {
  set({.pid = 42, .user = 100, .start = 100});
  tree_.remove("42/io");
  std::filesystem::create_directory(tree_.path("42/io"));
  auto sampler = this->sampler();
  sampler.follow(42);
  const TreeSample sample = next(sampler);
  EXPECT_FALSE(sample.total.disk_read_bytes);
  EXPECT_EQ(sample.faults.malformed, 1U);
}

TEST_F(TreeSamplerTest, HugeNumbersAreNoFigures) {
  set({.pid = 42, .user = 100, .start = 100});
  auto sampler = this->sampler();
  sampler.follow(42);
  next(sampler);
  set({.pid = 42, .user = ~std::uint64_t{0}, .start = 100, .read_bytes = ~std::uint64_t{0}});
  const TreeSample sample = next(sampler);
  EXPECT_GT(sample.faults.malformed, 0U);
  EXPECT_DOUBLE_EQ(sample.total.cpu_user_seconds, 1.0);
}

TEST_F(TreeSamplerTest, CountersThatFallStayWhatTheyWere) {
  set({.pid = 42, .user = 100, .children_user = 100, .start = 100, .read_bytes = 100});
  auto sampler = this->sampler();
  sampler.follow(42);
  next(sampler);
  set({.pid = 42, .user = 50, .children_user = 20, .start = 100, .read_bytes = 10});
  const TreeSample sample = next(sampler);
  EXPECT_DOUBLE_EQ(sample.total.cpu_user_seconds, 2.0);
  EXPECT_DOUBLE_EQ(sample.total.cpu_usage_percent.value(), 0);
  EXPECT_EQ(sample.total.disk_read_bytes, 100U);
}

TEST_F(TreeSamplerTest, ANameMayBeAnything) {
  set({.pid = 42, .comm = "a b) R (\n\xFF", .start = 100});
  auto sampler = this->sampler();
  sampler.follow(42);
  const TreeSample sample = next(sampler);
  ASSERT_EQ(sample.processes.size(), 1U);
  EXPECT_EQ(sample.processes[0].comm, "a b) R (\n\xEF\xBF\xBD");
  EXPECT_EQ(sample.processes[0].role, sample.processes[0].comm);
}

TEST_F(TreeSamplerTest, ANewCommandMayPlayANewRole) {
  RoleRules rules;
  ASSERT_TRUE(rules.add("*--serve*=server"));
  set({.pid = 42, .comm = "sh", .user = 100, .start = 100});
  tree_.write("42/cmdline", std::string("sh\0-c\0", 6));
  auto sampler = this->sampler(rules);
  sampler.follow(42);
  EXPECT_EQ(next(sampler).processes[0].role, "sh");
  FakeProcess served{.pid = 42, .comm = "sh", .user = 150, .start = 100};
  served.stack_start += 4096;  // execve(2)
  set(served);
  tree_.write("42/cmdline", std::string("sh\0--serve\0", 11));
  const TreeSample sample = next(sampler);
  EXPECT_EQ(sample.processes[0].role, "server");
  EXPECT_DOUBLE_EQ(role(sample, "sh").sample.cpu_user_seconds, 1.0);
  EXPECT_DOUBLE_EQ(role(sample, "server").sample.cpu_user_seconds, 0.5);
  EXPECT_DOUBLE_EQ(sample.total.cpu_user_seconds, 1.5);
}

TEST_F(TreeSamplerTest, RolesAddUpToTheTotal) {
  set({.pid = 42, .comm = "make", .user = 10, .system = 3, .start = 100});
  for (pid_t pid = 100; pid < 180; ++pid) {
    set({.pid = pid, .parent = 42, .comm = "c" + std::to_string(pid), .user = 7, .system = 1, .start = 101});
  }
  auto sampler = this->sampler();
  sampler.follow(42);
  const TreeSample sample = next(sampler);
  EXPECT_EQ(sample.roles.size(), kRoles);
  double user = 0;
  std::uint64_t memory = 0, processes = 0;
  for (const RoleSample& each : sample.roles) {
    user += each.sample.cpu_user_seconds;
    memory += each.sample.memory_usage_bytes.value();
    processes += each.sample.processes;
    EXPECT_FALSE(each.sample.network_rx_bytes);
  }
  EXPECT_NEAR(user, sample.total.cpu_user_seconds, 1e-9);
  EXPECT_EQ(memory, sample.total.memory_usage_bytes);
  EXPECT_EQ(processes, 81U);
}

TEST_F(TreeSamplerTest, NetworksCountOnceANamespace) {
  set({.pid = 42, .start = 100, .network = 7});
  set({.pid = 50, .parent = 42, .start = 101, .network = 7});
  const auto move = [&](pid_t pid, std::uint64_t rx) {
    tree_.write(std::to_string(pid) + "/net/dev",
                std::string(kNetDevHeadings) + net_dev_line("lo", rx, 2 * rx));
  };
  move(42, 1000);
  auto sampler = this->sampler();
  sampler.follow(42);
  TreeSample sample = next(sampler);
  EXPECT_EQ(sample.total.network_rx_bytes, 0U) << "what was there before it was followed";
  EXPECT_EQ(sample.processes[0].sample.network_rx_bytes, 1000U);
  EXPECT_EQ(sample.processes[1].sample.network_rx_bytes, 1000U);
  move(42, 1100);
  set({.pid = 60, .parent = 42, .start = 102, .network = 8});  // a container
  move(60, 10);
  sample = next(sampler);
  EXPECT_EQ(sample.total.network_rx_bytes, 110U);
  EXPECT_EQ(sample.total.network_tx_bytes, 220U);
}

TEST_F(TreeSamplerTest, ANetworkThatIsChangedWithoutACommandIsFound) {
  set({.pid = 42, .start = 100, .network = 7});
  auto sampler = this->sampler();
  sampler.follow(42);
  next(sampler);
  tree_.set_network(42, 8);  // unshare(2)
  tree_.remove("42/net/dev");
  tree_.write("42/net/dev", std::string(kNetDevHeadings) + net_dev_line("lo", 3000, 3000));
  EXPECT_EQ(next(sampler).total.network_rx_bytes, 3000U);
}

TEST_F(TreeSamplerTest, AControlGroupThatIsEnteredLaterIsFound) {
  tree_.write("self/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n");
  tree_.write("mounts/sys/fs/cgroup/a/memory.max", "524288\n");
  set({.pid = 42, .start = 100, .resident_pages = 16});
  tree_.write("42/cgroup", "0::/\n");
  auto sampler = this->sampler();
  sampler.follow(42);
  const double of_machine = next(sampler).total.memory_usage_percent.value();
  tree_.write("42/cgroup", "0::/a\n");
  EXPECT_DOUBLE_EQ(next(sampler).total.memory_usage_percent.value(), 2 * of_machine);
}

TEST_F(TreeSamplerTest, TheNetworkOfOneWhoIsFollowedLaterBeginsThen) {
  set({.pid = 42, .start = 100, .network = 7});
  auto sampler = this->sampler();
  sampler.follow(42);
  next(sampler);
  set({.pid = 50, .start = 200, .network = 8});
  tree_.write("50/net/dev", std::string(kNetDevHeadings) + net_dev_line("lo", 1000, 1000));
  sampler.follow(50);
  EXPECT_EQ(next(sampler).total.network_rx_bytes, 0U);
}

TEST_F(TreeSamplerTest, WhoIsGoneBeforeItIsReadIsCounted) {
  set({.pid = 42, .start = 100});
  std::filesystem::create_directory(tree_.path("77"));
  auto sampler = this->sampler();
  sampler.follow(42);
  EXPECT_EQ(next(sampler).faults, (CollectionFaults{.gone = 1}));
  tree_.remove("42/io");
  tree_.remove("42/fd");
  tree_.remove("42/ns");
  tree_.remove("77");
  const TreeSample sample = next(sampler);
  EXPECT_EQ(sample.faults, (CollectionFaults{.gone = 1})) << "the next sample finds that it has ended";
  EXPECT_FALSE(sample.total.file_descriptor_count);
  EXPECT_EQ(sample.total.disk_read_bytes, 0U) << "as it was known last";
}

TEST_F(TreeSamplerTest, TheListIsBoundedAndTheTotalIsNot) {
  constexpr std::size_t kCount = kListedProcesses + 10;
  Members members;
  RoleBook roles;
  Member member;
  member.role = roles.find("worker", {});
  member.was_read = true;
  member.threads = 2;
  for (std::size_t i = 0; i < kCount; ++i) {
    member.pid = static_cast<pid_t>(i + 1);
    ASSERT_TRUE(members.add(member));
  }
  TreeSample sample;
  std::optional<CpuShare> share;
  summarize({members,
             roles,
             NetworkNamespaces(),
             MemoryBase(tree_.roots()),
             BootTime(),
             Collect(),
             {},
             1,
             {},
             share,
             true},
            sample);
  EXPECT_EQ(sample.processes.size(), kListedProcesses);
  EXPECT_EQ(sample.total.processes, kCount);
  EXPECT_EQ(sample.total.thread_count, 2 * kCount);
}

}  // namespace
}  // namespace metricsd::tools
