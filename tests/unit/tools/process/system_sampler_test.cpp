#include "system_sampler.h"

#include "proc_tree.h"

#include <metricsd/support/manual_clock.h>

#include <string>

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

void write_machine(const ProcTree& tree, unsigned user) {
  const std::string ticks = std::to_string(user);
  tree.write("stat", "cpu  " + ticks + " 0 0 1000 0 0 0 0 0 0\ncpu0 " + ticks +
                         " 0 0 500 0 0 0 0 0 0\ncpu1 0 0 0 500 0 0 0 0 0 0\nctxt 5\nprocesses 6\n");
  tree.write("loadavg", "1.50 2.50 3.50 1/2 3\n");
  tree.write("diskstats",
             "7 0 loop0 0 0 0 0 0 0 0 0 0 0 0\n254 0 vda 1 0 8 0 2 0 16 0 0 0 0\n254 1 vda1 half a line\n");
  tree.write("self/net/dev",
             std::string(kNetDevHeadings) + net_dev_line("lo", 1, 2) + net_dev_line("eth0", 3, 4));
  tree.write("pressure/cpu", "some avg10=1.00 avg60=0.00 avg300=0.00 total=2000000\n");
}

TEST(SystemSampler, HasAll) {
  const ProcTree tree;
  write_machine(tree, 100);
  const support::ManualClock clock;
  SystemSampler sampler(tree.roots(), clock);
  const SystemSample& sample = sampler.sample();
  EXPECT_EQ(sample.timestamp, clock.now());
  EXPECT_FALSE(sample.cpu_usage_percent);
  EXPECT_DOUBLE_EQ(sample.cpu.user, 1);
  EXPECT_EQ(sample.cores.size(), 2U);
  EXPECT_EQ(sample.memory.value().total_bytes, 1U << 20);
  EXPECT_DOUBLE_EQ(sample.load.value().fifteen, 3.5);
  ASSERT_EQ(sample.disks.size(), 1U) << "nothing was ever read from the others";
  EXPECT_EQ(sample.disks[0].device, "vda");
  ASSERT_EQ(sample.networks.size(), 2U);
  EXPECT_EQ(sample.networks[1].device, "eth0");
  EXPECT_EQ(sample.networks[1].tx_bytes, 4U);
  ASSERT_EQ(sample.pressures.size(), 1U);
  EXPECT_DOUBLE_EQ(sample.pressures[0].some_seconds, 2);
  EXPECT_DOUBLE_EQ(sample.uptime_seconds, 100);
  EXPECT_EQ(sample.processes_forked, 6U);
  EXPECT_EQ(sample.unreadable, 0U);
}

TEST(SystemSampler, UsageIsBetweenTwoSamples) {
  const ProcTree tree;
  write_machine(tree, 100);
  support::ManualClock clock;
  SystemSampler sampler(tree.roots(), clock);
  EXPECT_FALSE(sampler.sample().cores[0].usage_percent);
  write_machine(tree, 150);
  clock.advance(kNsPerSecond);
  const SystemSample& sample = sampler.sample();
  EXPECT_DOUBLE_EQ(sample.cpu_usage_percent.value(), 50);
  EXPECT_DOUBLE_EQ(sample.cores[0].usage_percent.value(), 50);
  EXPECT_DOUBLE_EQ(sample.cores[1].usage_percent.value(), 0);
}

TEST(SystemSampler, AMissingFileIsAMissingFigure) {
  const ProcTree tree;
  write_machine(tree, 100);
  support::ManualClock clock;
  SystemSampler sampler(tree.roots(), clock);
  (void)sampler.sample();
  for (const char* name : {"stat", "meminfo", "loadavg", "diskstats", "pressure"}) tree.remove(name);
  clock.advance(kNsPerSecond);
  const SystemSample* sample = &sampler.sample();
  EXPECT_FALSE(sample->cpu_usage_percent);
  EXPECT_FALSE(sample->memory);
  EXPECT_FALSE(sample->load);
  EXPECT_TRUE(sample->pressures.empty());
  EXPECT_EQ(sample->unreadable, 4U);
  write_machine(tree, 200);
  clock.advance(kNsPerSecond);
  sample = &sampler.sample();
  EXPECT_DOUBLE_EQ(sample->cpu_usage_percent.value(), 50) << "of the two seconds since it was read";
}

TEST(SystemSampler, NothingAtAllIsNoFault) {
  const ProcTree tree;
  const support::ManualClock clock;
  SystemSampler sampler({tree.path("missing"), "/"}, clock);
  const SystemSample& sample = sampler.sample();
  EXPECT_TRUE(sample.cores.empty());
  EXPECT_FALSE(sample.cgroup);
}

TEST(SystemSampler, OfThisMachine) {
  SystemSampler sampler({}, system_clock());
  (void)sampler.sample();
  const SystemSample& sample = sampler.sample();
  EXPECT_GT(sample.cpu.busy(), 0);
  EXPECT_FALSE(sample.cores.empty());
  EXPECT_GT(sample.memory.value().total_bytes, sample.memory.value().free_bytes);
  EXPECT_FALSE(sample.networks.empty());
  EXPECT_GT(sample.uptime_seconds, 0);
  EXPECT_GT(sample.processes_forked, 0U);
}

}  // namespace
}  // namespace metricsd::tools
