// Real children, and the kernel's own account of them as the witness: wait4(2).
#include "real_child.h"
#include "tree_sampler.h"

#include <metricsd/models/unique_fd.h>
#include <metricsd/support/sanitized.h>
#include <metricsd/support/temporary_directory.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

namespace metricsd::tools {
namespace {

// Ticks are 10 ms, cut off in each of user and system time.
constexpr double kTicks = 0.03;

double cpu_of(const TreeSample& sample) {
  return sample.total.cpu_user_seconds + sample.total.cpu_system_seconds;
}

void expect_within_5_percent(double told, double truth) {
  EXPECT_NEAR(told, truth, 0.05 * truth + kTicks);
}

TreeSampler real_sampler(Collect collect = {}) {
  return {Roots{}, RoleRules{}, collect, system_clock()};
}

TEST(RealProcesses, CpuIsWhatTheKernelSays) {
  RealChild child([] {
    burn(milliseconds(600));
    return 0;
  });
  auto sampler = real_sampler();
  ASSERT_TRUE(sampler.follow(child.pid()));
  child.until_it_ends(milliseconds(50), [&] { (void)sampler.sample(); });
  const double at_end = cpu_of(sampler.sample());
  EXPECT_EQ(sampler.sample().faults.zombies, 1U);
  EXPECT_FALSE(sampler.is_alive());
  const rusage usage = child.reap();
  expect_within_5_percent(at_end, seconds_of(usage));
  sampler.reaped(child.pid(), usage);
  const double exact = cpu_of(sampler.sample());
  EXPECT_GE(exact, at_end);
  EXPECT_NEAR(exact, seconds_of(usage), 1e-6);
}

TEST(RealProcesses, ATreeThatForksAndDiesIsCountedOnce) {
  RealChild child([] {
    for (int round = 0; round < 3; ++round) {
      std::vector<pid_t> children;
      for (int i = 0; i < 3; ++i) {
        children.push_back(start_child([] {
          wait_for(start_child([] {
            burn(milliseconds(60));
            return 0;
          }));
          burn(milliseconds(40));
          return 0;
        }));
      }
      for (const pid_t pid : children) wait_for(pid);
    }
    return 0;
  });
  auto sampler = real_sampler();
  ASSERT_TRUE(sampler.follow(child.pid()));
  double before = 0;
  std::uint64_t most = 0;
  child.until_it_ends(milliseconds(7), [&] {
    const TreeSample& sample = sampler.sample();
    EXPECT_GE(cpu_of(sample), before);
    before = cpu_of(sample);
    most = std::max(most, sample.total.processes);
  });
  const double at_end = cpu_of(sampler.sample());
  expect_within_5_percent(at_end, seconds_of(child.reap()));
  EXPECT_GT(most, 1U);
}

TEST(RealProcesses, FiveHundredShortLivedChildrenAreCountedOnce) {
  RealChild child([] {
    for (int i = 0; i < 500; ++i) {
      wait_for(start_child([] {
        burn(milliseconds(1));
        return 0;
      }));
    }
    return 0;
  });
  auto sampler = real_sampler();
  ASSERT_TRUE(sampler.follow(child.pid()));
  child.until_it_ends(milliseconds(20), [&] { (void)sampler.sample(); });
  const double at_end = cpu_of(sampler.sample());
  const double truth = seconds_of(child.reap());
  EXPECT_GT(truth, 0.5);
  expect_within_5_percent(at_end, truth);
}

// Becomes the one that orphans are given to, for its lifetime.
class Subreaper {
 public:
  Subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
  Subreaper(const Subreaper&) = delete;
  Subreaper& operator=(const Subreaper&) = delete;
  ~Subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); }
};

// Where one side waits until the other says so.
class Gate {
 public:
  Gate() {
    if (::pipe(ends_.data()) != 0) throw std::runtime_error("pipe failed");
  }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  void open(char with = 1) { EXPECT_EQ(::write(ends_[1], &with, 1), 1); }
  char wait() {
    char with = 0;
    return ::read(ends_[0], &with, 1) == 1 ? with : 0;
  }

 private:
  std::array<int, 2> ends_{};
};

TEST(RealProcesses, ADoubleForkIsFollowedToItsEnd) {
  const Subreaper subreaper;
  Gate gate;
  RealChild child([&] {
    start_child([&] {
      start_child([&] {
        burn(milliseconds(100));
        gate.wait();
        burn(milliseconds(200));
        return 0;
      });
      return 0;
    });
    burn(milliseconds(50));
    return 0;  // waits for nobody
  });
  auto sampler = real_sampler();
  ASSERT_TRUE(sampler.follow(child.pid()));
  sampler.follow_orphans_of(::getpid());
  child.until_it_ends(milliseconds(10), [&] { (void)sampler.sample(); });
  const rusage usage = child.reap();
  sampler.reaped(child.pid(), usage);
  EXPECT_GE(sampler.sample().total.processes, 1U) << "the orphan";
  gate.open();

  double truth = seconds_of(usage);
  for (pid_t pid = 0; pid >= 0;) {
    rusage orphan{};
    pid = ::wait4(-1, nullptr, WNOHANG, &orphan);
    if (pid > 0) {
      sampler.reaped(pid, orphan);
      truth += seconds_of(orphan);
    }
    (void)sampler.sample();
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_GT(truth, 0.3);
  expect_within_5_percent(cpu_of(sampler.sample()), truth);
}

TEST(RealProcesses, ChildrenThatNobodyWaitsForAreNotCountedTwice) {
  RealChild child([] {
    ::signal(SIGCHLD, SIG_IGN);
    const pid_t grandchild = start_child([] {
      burn(milliseconds(300));
      return 0;
    });
    wait_for(grandchild);  // until it has gone, by itself
    burn(milliseconds(100));
    return 0;
  });
  auto sampler = real_sampler();
  ASSERT_TRUE(sampler.follow(child.pid()));
  double seen = 0;
  child.until_it_ends(milliseconds(10), [&] {
    const TreeSample& sample = sampler.sample();
    for (const ProcessEntry& each : sample.processes) {
      if (each.pid != child.pid()) {
        seen = std::max(seen, each.sample.cpu_user_seconds + each.sample.cpu_system_seconds);
      }
    }
  });
  const double at_end = cpu_of(sampler.sample());
  const double own = seconds_of(child.reap());
  EXPECT_NEAR(at_end, own + seen, kTicks);
}

TEST(RealProcesses, ThreadsAndDescriptorsAreCounted) {
  Gate gate;
  RealChild child([&] {
    for (int i = 0; i < 20; ++i) EXPECT_GE(::open("/dev/null", O_RDONLY), 0);
    for (int i = 0; i < 2; ++i)
      std::thread([] { std::this_thread::sleep_for(std::chrono::hours(1)); }).detach();
    using Entries = std::filesystem::directory_iterator;
    const auto open = std::distance(Entries("/proc/self/fd"), Entries()) - 1;  // without its own
    gate.open(static_cast<char>(open));
    ::pause();
    return 0;
  });
  const char descriptors = gate.wait();
  auto sampler = real_sampler();
  ASSERT_TRUE(sampler.follow(child.pid()));
  const TreeSample& sample = sampler.sample();
  EXPECT_GT(descriptors, 20);
  EXPECT_EQ(sample.total.file_descriptor_count, static_cast<std::uint64_t>(descriptors));
  EXPECT_GE(sample.total.thread_count, 3U) << "a sanitizer has one of its own";
  EXPECT_GT(sample.total.memory_usage_bytes, 0U);
  EXPECT_GT(sample.total.memory_usage_percent.value(), 0);
  EXPECT_GE(sample.total.virtual_memory_bytes, sample.total.memory_usage_bytes);
  EXPECT_LT(sample.total.uptime_seconds, 600);
  EXPECT_NEAR(sample.processes.at(0).start_time_seconds, static_cast<double>(system_clock().now().ns) / 1e9,
              600);
}

TEST(RealProcesses, OneWhoseFirstThreadHasEndedLives) {
  if (METRICSD_SANITIZED) GTEST_SKIP() << "the sanitizers' own threads";
  Gate gate;
  RealChild child([&]() -> int {
    std::thread([&] {
      burn(milliseconds(200));
      gate.wait();
      ::_exit(0);
    }).detach();
    ::syscall(SYS_exit, 0);  // this thread's end, not the process's
    return 1;
  });
  auto sampler = real_sampler();
  ASSERT_TRUE(sampler.follow(child.pid()));
  bool lived = false;
  child.until_it_ends(milliseconds(20), [&] {
    const TreeSample& sample = sampler.sample();
    if (lived || cpu_of(sample) < 0.1) return;
    EXPECT_TRUE(sampler.is_alive());
    EXPECT_EQ(sample.processes.size(), 1U);
    lived = true;
    gate.open();
  });
  EXPECT_TRUE(lived);
  const double at_end = cpu_of(sampler.sample());
  expect_within_5_percent(at_end, seconds_of(child.reap()));
}

TEST(RealProcesses, WhatIsWrittenCountsOnce) {
  const support::TemporaryDirectory directory;
  struct statfs about {};
  ASSERT_EQ(::statfs(directory.path().c_str(), &about), 0);
  if (about.f_type == TMPFS_MAGIC) GTEST_SKIP() << "no storage behind " << directory.path();
  constexpr std::size_t kBytes = 8 << 20;
  const std::string path = directory.path() / "file";
  RealChild child([&] {
    return wait_for(start_child([&] {
      const UniqueFd file(::open(path.c_str(), O_CREAT | O_WRONLY, 0600));
      const std::string block(1 << 16, 'x');
      for (std::size_t written = 0; written < kBytes; written += block.size()) {
        if (::write(file.get(), block.data(), block.size()) < 0) return 1;
        burn(milliseconds(1));
      }
      return ::fsync(file.get()) == 0 ? 0 : 1;
    }));
  });
  auto sampler = real_sampler();
  ASSERT_TRUE(sampler.follow(child.pid()));
  child.until_it_ends(milliseconds(20), [&] { (void)sampler.sample(); });
  const auto written = sampler.sample().total.disk_write_bytes;
  const rusage usage = child.reap();
  if (usage.ru_oublock == 0) GTEST_SKIP() << "this file system does not say what it writes";
  ASSERT_TRUE(written);
  EXPECT_NEAR(static_cast<double>(*written), static_cast<double>(usage.ru_oublock) * 512, 0.05 * kBytes);
  EXPECT_NEAR(static_cast<double>(*written), kBytes, 0.05 * kBytes);
}

TEST(RealProcesses, AnotherUsersProcessIsNotGuessed) {
  if (::geteuid() != 0) GTEST_SKIP() << "can not become another user";
  RealChild child([parent = ::getpid()] {
    constexpr uid_t kNobody = 65534;
    if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) return 1;
    auto sampler = real_sampler();
    if (!sampler.follow(parent, TreeSampler::Scope::process)) return 2;
    (void)sampler.sample();
    const TreeSample& sample = sampler.sample();
    if (sample.total.disk_read_bytes || sample.total.network_rx_bytes) return 3;
    if (sample.faults.denied != 1) return 4;
    return sample.total.memory_usage_bytes > 0 && sample.total.thread_count > 0 && sample.total.processes == 1
               ? 0
               : 5;
  });
  int status = 0;
  child.reap(&status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(RealProcesses, APidThatIsUsedAgainIsAnother) {
  pid_t pid = 0;
  auto sampler = real_sampler();
  {
    RealChild first([] {
      ::pause();
      return 0;
    });
    pid = first.pid();
    ASSERT_TRUE(sampler.follow(pid));
    (void)sampler.sample();
    std::this_thread::sleep_for(milliseconds(30));  // it has to have begun at another tick
  }
  clone_args arguments{};
  arguments.exit_signal = SIGCHLD;
  arguments.set_tid = reinterpret_cast<std::uint64_t>(&pid);
  arguments.set_tid_size = 1;
  const auto again = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
  if (again < 0) GTEST_SKIP() << "can not choose a pid";
  if (again == 0) {
    ::pause();
    ::_exit(0);
  }
  EXPECT_EQ(again, pid);
  const TreeSample& sample = sampler.sample();
  EXPECT_EQ(sample.faults.reused, 1U);
  EXPECT_EQ(sample.total.processes, 0U);
  ::kill(again, SIGKILL);
  wait_for(again);
}

constexpr std::size_t kPayload = 10'000;
constexpr std::size_t kDatagrams = 200;
constexpr std::size_t kHeaders = 14 + 20 + 8;  // Ethernet's, IP's, UDP's

// A socket that is bound to the loopback of a new network namespace, which this process is in from now on.
UniqueFd socket_in_new_namespace(sockaddr_in& address) {
  if (::unshare(CLONE_NEWNET) != 0) return {};
  UniqueFd both_ends(::socket(AF_INET, SOCK_DGRAM, 0));
  ifreq lo{};
  lo.ifr_name[0] = 'l';
  lo.ifr_name[1] = 'o';
  lo.ifr_flags = IFF_UP;
  if (::ioctl(both_ends.get(), SIOCSIFFLAGS, &lo) != 0) return {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(both_ends.get(), any, size) != 0 || ::getsockname(both_ends.get(), any, &size) != 0) return {};
  return both_ends;
}

void send_to_itself(const UniqueFd& both_ends, const sockaddr_in& address) {
  std::string datagram(kPayload, 'x');
  for (std::size_t i = 0; i < kDatagrams; ++i) {
    ::sendto(both_ends.get(), datagram.data(), datagram.size(), 0,
             reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::recv(both_ends.get(), datagram.data(), datagram.size(), 0);
  }
}

TEST(RealProcesses, WhatANetworkNamespaceMovedIsTold) {
  constexpr char kNot = 2;
  Gate ready, go;
  RealChild child([&] {
    sockaddr_in address{};
    const UniqueFd both_ends = socket_in_new_namespace(address);
    ready.open(both_ends.valid() ? 1 : kNot);
    go.wait();
    send_to_itself(both_ends, address);
    return 0;
  });
  if (ready.wait() == kNot) GTEST_SKIP() << "can not make a network namespace";
  auto sampler = real_sampler();
  ASSERT_TRUE(sampler.follow(child.pid()));
  EXPECT_EQ(sampler.sample().total.network_tx_bytes, 0U);
  go.open();
  child.until_it_ends(milliseconds(10), [] {});  // nobody looks meanwhile
  const ProcessSample total = sampler.sample().total;
  constexpr double kTruth = kDatagrams * (kPayload + kHeaders);
  EXPECT_NEAR(static_cast<double>(total.network_tx_bytes.value()), kTruth, 0.05 * kTruth);
  EXPECT_NEAR(static_cast<double>(total.network_rx_bytes.value()), kTruth, 0.05 * kTruth);
}

}  // namespace
}  // namespace metricsd::tools
