#include "cgroups.h"

#include "memory_base.h"
#include "proc_tree.h"

#include <string>

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

constexpr std::uint64_t kMebi = 1 << 20;

// The files of a group at a path of `tree`.
void write_v2(const ProcTree& tree, const std::string& group) {
  const std::string at = "mounts/sys/fs/cgroup" + group + "/";
  tree.write(at + "memory.max", "1048576\n");
  tree.write(at + "memory.current", "524288\n");
  tree.write(at + "memory.events", "low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\n");
  tree.write(at + "cpu.max", "50000 100000\n");
  tree.write(at + "cpu.stat",
             "usage_usec 2500000\nuser_usec 1\nsystem_usec 1\nnr_periods 10\nnr_throttled 4\nthrottled_usec "
             "1500000\n");
  tree.write(at + "pids.max", "100\n");
  tree.write(at + "pids.current", "7\n");
}

struct UnifiedTree : ProcTree {
  explicit UnifiedTree(const std::string& group) {
    write("self/mountinfo",
          "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
    write("42/cgroup", "0::" + group + "\n");
  }
};

TEST(Cgroups, OfV2) {
  const UnifiedTree tree("/a/b");
  write_v2(tree, "/a/b");
  Cgroups cgroups(tree.roots());
  const auto sample = cgroups.read("42");
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->version, 2U);
  EXPECT_EQ(sample->memory_limit_bytes, kMebi);
  EXPECT_EQ(sample->memory_usage_bytes, kMebi / 2);
  EXPECT_EQ(sample->oom_kills, 1U);
  EXPECT_EQ(sample->cpu_limit_cores, 0.5);
  EXPECT_EQ(sample->cpu_usage_seconds, 2.5);
  EXPECT_EQ(sample->cpu_periods, 10U);
  EXPECT_EQ(sample->cpu_throttled_periods, 4U);
  EXPECT_EQ(sample->cpu_throttled_seconds, 1.5);
  EXPECT_EQ(sample->processes_limit, 100U);
  EXPECT_EQ(sample->processes, 7U);
}

TEST(Cgroups, ALimitAboveCountsWhereItIsLess) {
  const UnifiedTree tree("/a/b/c");
  write_v2(tree, "/a/b/c");
  tree.write("mounts/sys/fs/cgroup/a/b/memory.max", "max\n");
  tree.write("mounts/sys/fs/cgroup/a/memory.max", "4096\n");
  tree.write("mounts/sys/fs/cgroup/a/cpu.max", "max 100000\n");
  tree.write("mounts/sys/fs/cgroup/a/b/cpu.max", "25000 100000\n");
  tree.write("mounts/sys/fs/cgroup/pids.max", "5\n");
  Cgroups cgroups(tree.roots());
  const auto sample = cgroups.read("42");
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->memory_limit_bytes, 4096U);
  EXPECT_EQ(sample->cpu_limit_cores, 0.25);
  EXPECT_EQ(sample->processes_limit, 5U);
  EXPECT_EQ(cgroups.memory_limit("42"), 4096U);
}

TEST(Cgroups, WithoutLimits) {
  const UnifiedTree tree("/a");
  write_v2(tree, "/a");
  tree.write("mounts/sys/fs/cgroup/a/memory.max", "max\n");
  tree.write("mounts/sys/fs/cgroup/a/cpu.max", "max 100000\n");
  tree.write("mounts/sys/fs/cgroup/a/pids.max", "max\n");
  Cgroups cgroups(tree.roots());
  const auto sample = cgroups.read("42");
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->memory_limit_bytes, std::nullopt);
  EXPECT_EQ(sample->cpu_limit_cores, std::nullopt);
  EXPECT_EQ(sample->processes_limit, std::nullopt);
}

TEST(Cgroups, WithoutControllers) {
  const UnifiedTree tree("/");
  tree.write("mounts/sys/fs/cgroup/cpu.stat", "usage_usec 1000000\nuser_usec 1\n");
  Cgroups cgroups(tree.roots());
  const auto sample = cgroups.read("42");
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->memory_usage_bytes, std::nullopt);
  EXPECT_EQ(sample->cpu_usage_seconds, 1.0);
  EXPECT_EQ(sample->cpu_periods, std::nullopt);
}

TEST(Cgroups, OfBadNumbersAreAbsent) {
  const UnifiedTree tree("/a");
  tree.write("mounts/sys/fs/cgroup/a/memory.max", "");
  tree.write("mounts/sys/fs/cgroup/a/memory.current", "-5\n");
  tree.write("mounts/sys/fs/cgroup/a/cpu.max", "50000 0\n");
  tree.write("mounts/sys/fs/cgroup/a/pids.max", "99999999999999999999\n");
  Cgroups cgroups(tree.roots());
  const auto sample = cgroups.read("42");
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->memory_limit_bytes, std::nullopt);
  EXPECT_EQ(sample->memory_usage_bytes, std::nullopt);
  EXPECT_EQ(sample->cpu_limit_cores, std::nullopt);
  EXPECT_EQ(sample->processes_limit, std::nullopt);
}

// As within a container without a cgroup namespace: its mounts begin where its groups do.
struct V1Tree : ProcTree {
  V1Tree() {
    write("self/mountinfo",
          "32 31 0:29 /docker/x /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
          "35 31 0:32 /docker/x /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
          "36 31 0:33 / /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n"
          "37 31 0:34 / /sys/fs/cgroup/systemd ro - cgroup cgroup rw,name=systemd\n");
    write("42/cgroup",
          "4:memory:/docker/x/job\n3:cpu,cpuacct:/docker/x\n2:pids:/docker/x\n1:name=systemd:/\n");
    const std::string at = "mounts/sys/fs/cgroup/";
    write(at + "memory/job/memory.limit_in_bytes", "9223372036854771712\n");
    write(at + "memory/job/memory.usage_in_bytes", "524288\n");
    write(at + "memory/job/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
    write(at + "memory/memory.limit_in_bytes", "1048576\n");
    write(at + "cpu,cpuacct/cpu.cfs_quota_us", "150000\n");
    write(at + "cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    write(at + "cpu,cpuacct/cpu.stat", "nr_periods 10\nnr_throttled 4\nthrottled_time 1500000000\n");
    write(at + "cpu,cpuacct/cpuacct.usage", "2500000000\n");
    write(at + "pids/docker/x/pids.max", "max\n");
    write(at + "pids/docker/x/pids.current", "7\n");
  }
};

TEST(Cgroups, OfV1) {
  const V1Tree tree;
  Cgroups cgroups(tree.roots());
  const auto sample = cgroups.read("42");
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->version, 1U);
  EXPECT_EQ(sample->memory_limit_bytes, kMebi);
  EXPECT_EQ(sample->memory_usage_bytes, kMebi / 2);
  EXPECT_EQ(sample->oom_kills, 2U);
  EXPECT_EQ(sample->cpu_limit_cores, 1.5);
  EXPECT_EQ(sample->cpu_usage_seconds, 2.5);
  EXPECT_EQ(sample->cpu_periods, 10U);
  EXPECT_EQ(sample->cpu_throttled_periods, 4U);
  EXPECT_EQ(sample->cpu_throttled_seconds, 1.5);
  EXPECT_EQ(sample->processes_limit, std::nullopt);
  EXPECT_EQ(sample->processes, 7U);
}

TEST(Cgroups, OfV1WithoutLimits) {
  const V1Tree tree;
  tree.remove("mounts/sys/fs/cgroup/memory/memory.limit_in_bytes");
  tree.write("mounts/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  Cgroups cgroups(tree.roots());
  const auto sample = cgroups.read("42");
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->memory_limit_bytes, std::nullopt);
  EXPECT_EQ(sample->cpu_limit_cores, std::nullopt);
}

TEST(Cgroups, OfBothAtOnce) {
  const ProcTree tree;
  tree.write("self/mountinfo",
             "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
             "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  tree.write("42/cgroup", "4:memory:/m\n0::/u\n");
  tree.write("mounts/sys/fs/cgroup/memory/m/memory.limit_in_bytes", "4096\n");
  tree.write("mounts/sys/fs/cgroup/unified/u/cpu.max", "100000 100000\n");
  Cgroups cgroups(tree.roots());
  const auto sample = cgroups.read("42");
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->version, 1U);
  EXPECT_EQ(sample->memory_limit_bytes, 4096U);
  EXPECT_EQ(sample->cpu_limit_cores, 1.0);
}

TEST(Cgroups, ThatCanNotBeSeenAreNone) {
  const UnifiedTree tree("/../outside");
  tree.write("43/cgroup", "");
  tree.write("44/cgroup", "garbage\n::\n:");
  Cgroups cgroups(tree.roots());
  EXPECT_FALSE(cgroups.read("42"));
  EXPECT_FALSE(cgroups.read("43"));
  EXPECT_FALSE(cgroups.read("44"));
  EXPECT_FALSE(cgroups.read("45"));
  EXPECT_FALSE(Cgroups(ProcTree().roots()).read("42")) << "no mountinfo";
}

TEST(Cgroups, ABeginningAlikeIsNotTheSameGroup) {
  const ProcTree tree;
  tree.write("self/mountinfo", "35 31 0:32 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  tree.write("42/cgroup", "0::/docker/xyz\n");
  EXPECT_FALSE(Cgroups(tree.roots()).read("42"));
}

TEST(Cgroups, OfThisMachineCanBeRead) {
  Cgroups cgroups(Roots{});
  const auto sample = cgroups.read("self");
  if (!sample) GTEST_SKIP() << "no control groups here";
  EXPECT_GT(sample->memory_usage_bytes.value_or(1), 0U);
}

TEST(MemoryBase, IsTheMachinesWithoutALimit) {
  const ProcTree tree;  // MemTotal: 1 MiB
  KernelFiles proc(tree.roots().proc);
  MemoryBase memory(tree.roots());
  EXPECT_EQ(memory.percent(1), std::nullopt);
  memory.refresh(proc, 42);
  EXPECT_EQ(memory.percent(kMebi / 4), 25.0);
}

TEST(MemoryBase, IsTheGroupsLimitWhereThatIsLess) {
  const UnifiedTree tree("/a");
  tree.write("mounts/sys/fs/cgroup/a/memory.max", "524288\n");
  KernelFiles proc(tree.roots().proc);
  MemoryBase memory(tree.roots());
  memory.refresh(proc, 42);
  EXPECT_EQ(memory.percent(kMebi / 4), 50.0);
  memory.refresh(proc, 43);  // has ended
  EXPECT_EQ(memory.percent(kMebi / 4), 50.0);
  tree.write("mounts/sys/fs/cgroup/a/memory.max", "1099511627776\n");
  memory.refresh(proc, 42);
  EXPECT_EQ(memory.percent(kMebi / 4), 25.0) << "more than there is";
}

}  // namespace
}  // namespace metricsd::tools
