// Counting networks: of one namespace, of many.
#include "device_counters.h"
#include "network_namespaces.h"
#include "proc_tree.h"

#include <string>

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

template <class... Lines>
std::string net_dev(const Lines&... lines) {
  return (std::string(kNetDevHeadings) + ... + lines);
}

TEST(DeviceCounters, CountFromTheFirstReading) {
  DeviceCounters counters(false);
  ASSERT_TRUE(counters.read(net_dev(net_dev_line("lo", 100, 200), net_dev_line("eth0", 1000, 2000))));
  EXPECT_EQ(counters.moved().rx, 0U);
  EXPECT_EQ(counters.raw().rx, 1100U);
  EXPECT_EQ(counters.raw().tx, 2200U);
  ASSERT_TRUE(counters.read(net_dev(net_dev_line("lo", 101, 202), net_dev_line("eth0", 1010, 2020))));
  EXPECT_EQ(counters.moved().rx, 11U);
  EXPECT_EQ(counters.moved().tx, 22U);
}

TEST(DeviceCounters, CountAllOfANewNamespace) {
  DeviceCounters counters(true);
  ASSERT_TRUE(counters.read(net_dev(net_dev_line("lo", 100, 200))));
  EXPECT_EQ(counters.moved().rx, 100U);
  EXPECT_EQ(counters.moved().tx, 200U);
}

TEST(DeviceCounters, DevicesComeAndGo) {
  DeviceCounters counters(false);
  ASSERT_TRUE(counters.read(net_dev(net_dev_line("lo", 100, 0), net_dev_line("eth0", 1'000'000, 0))));
  ASSERT_TRUE(counters.read(net_dev(net_dev_line("lo", 100, 0))));
  EXPECT_EQ(counters.moved().rx, 0U) << "a device that goes takes nothing away";
  ASSERT_TRUE(counters.read(net_dev(net_dev_line("veth1", 7, 0), net_dev_line("lo", 101, 0))));
  EXPECT_EQ(counters.moved().rx, 8U) << "and one that comes brings what it has moved";
}

TEST(DeviceCounters, ACounterThatFellHasBegunAgain) {
  DeviceCounters counters(false);
  ASSERT_TRUE(counters.read(net_dev(net_dev_line("eth0", 1000, 5))));
  ASSERT_TRUE(counters.read(net_dev(net_dev_line("eth0", 10, 6))));
  EXPECT_EQ(counters.moved().rx, 10U);
  EXPECT_EQ(counters.moved().tx, 1U);
}

TEST(DeviceCounters, HalfAFileChangesNothing) {
  const std::string text = net_dev(net_dev_line("lo", 100, 200), net_dev_line("eth0", 1000, 2000));
  DeviceCounters counters(true);
  ASSERT_TRUE(counters.read(text));
  const std::size_t first_end = text.find('\n', kNetDevHeadings.size()) + 1;
  for (std::size_t size = 0; size < text.size(); ++size) {
    if (size == first_end) continue;  // looks whole: a kernel writes lines whole
    EXPECT_FALSE(counters.read(text.substr(0, size))) << size;
  }
  EXPECT_EQ(counters.moved().rx, 1100U);
}

class Namespaces : public testing::Test {
 protected:
  void set(pid_t pid, std::uint64_t id, std::uint64_t rx, std::uint64_t tx) {
    tree_.set_network(pid, id);
    tree_.write(std::to_string(pid) + "/net/dev", net_dev(net_dev_line("lo", rx, tx)));
  }
  void enter(pid_t pid) {
    EXPECT_TRUE(namespaces_.enter(proc_, NetworkNamespaces::of(proc_, pid).value(), pid));
  }
  std::uint64_t moved() {
    EXPECT_TRUE(namespaces_.finish(proc_));
    return namespaces_.moved().value().rx;
  }

  ProcTree tree_;
  KernelFiles proc_{tree_.roots().proc};
  NetworkNamespaces namespaces_;
};

TEST_F(Namespaces, AreNothingBeforeOneIsRead) {
  EXPECT_EQ(namespaces_.moved(), std::nullopt);
  EXPECT_FALSE(NetworkNamespaces::of(proc_, 42));
}

TEST_F(Namespaces, CountOnceHoweverManyAreInThem) {
  set(42, 7, 100, 0);
  set(43, 7, 100, 0);
  enter(42);
  enter(43);
  EXPECT_EQ(moved(), 100U);
  EXPECT_EQ(namespaces_.raw(7).value().rx, 100U);
  EXPECT_EQ(namespaces_.raw(8), std::nullopt);
}

TEST_F(Namespaces, ThatOneHasLeftMeanwhileAreNotReadFromItsFile) {
  set(42, 8, 3000, 0);
  EXPECT_FALSE(namespaces_.enter(proc_, 7, 42)) << "7 is where it was when its link was read";
  enter(42);
  EXPECT_EQ(moved(), 3000U) << "not twice that";
  EXPECT_EQ(namespaces_.raw(7), std::nullopt);
}

TEST_F(Namespaces, ThatWereThereBeforeBeginAtNothing) {
  set(42, 7, 100, 0);
  set(43, 8, 1000, 0);
  tree_.write("self/mountinfo", "5 4 0:4 net:[9] /run/netns/blue rw shared:1 - nsfs nsfs rw\n");
  namespaces_.note_existing(proc_, {42});
  set(44, 9, 10'000, 0);
  for (const pid_t pid : {42, 43, 44}) enter(pid);
  EXPECT_EQ(moved(), 1000U) << "only that of 43 is new";
}

TEST_F(Namespaces, TellWhatTheLastOneMovedInThem) {
  set(42, 7, 100, 0);
  enter(42);
  EXPECT_EQ(moved(), 100U);
  tree_.write("42/net/dev", net_dev(net_dev_line("lo", 150, 0)));
  tree_.remove(42);
  EXPECT_EQ(moved(), 150U) << "its file is still open";
  EXPECT_EQ(moved(), 150U);
}

TEST_F(Namespaces, AreNotCountedAnewByWhoComesBack) {
  set(42, 7, 100, 0);
  enter(42);
  EXPECT_EQ(moved(), 100U);
  tree_.remove(42);
  EXPECT_EQ(moved(), 100U);
  set(43, 7, 130, 0);
  enter(43);
  EXPECT_EQ(moved(), 130U);
}

TEST_F(Namespaces, AreForgottenOneDayButNotTheirBytes) {
  std::uint64_t expected = 0;
  for (std::uint64_t id = 1; id <= 70; ++id) {
    set(42, id, id, 0);
    expected += id;
    enter(42);
    EXPECT_EQ(moved(), expected);
    tree_.remove(42);
    EXPECT_EQ(moved(), expected);
  }
}

TEST_F(Namespaces, AreNotOfOtherKinds) {
  tree_.set({.pid = 42});
  for (const char* target : {"mnt:[5]", "net:[x]", "net:[5", "net:[]", "/proc/1/ns/net"}) {
    const auto link = tree_.path("42/ns/net");
    std::filesystem::remove(link);
    std::filesystem::create_symlink(target, link);
    EXPECT_FALSE(NetworkNamespaces::of(proc_, 42)) << target;
  }
}

}  // namespace
}  // namespace metricsd::tools
