// The files of one process or of the machine that are a few numbers each.
#include "diskstats.h"
#include "keyed_numbers.h"
#include "loadavg.h"
#include "meminfo.h"
#include "mountinfo.h"
#include "net_dev.h"
#include "pid_cgroup.h"
#include "pid_io.h"
#include "pressure.h"
#include "proc_stat.h"
#include "proc_tree.h"
#include "text_scanner.h"

#include <string>

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

TEST(KeyedNumbers, FindTheWholeWord) {
  const std::string_view text = "some 1\nsome_more 2\nlast: 3";
  EXPECT_EQ(number_of(text, "some"), 1U);
  EXPECT_EQ(number_of(text, "some_more"), 2U);
  EXPECT_EQ(number_of(text, "last:"), 3U);
  EXPECT_EQ(number_of(text, "last"), std::nullopt);
  EXPECT_EQ(number_of(text, "more"), std::nullopt);
  EXPECT_EQ(number_of("", "some"), std::nullopt);
  EXPECT_EQ(number_of("some\n1\n", "some"), std::nullopt);
  EXPECT_EQ(number_of("some max\n", "some"), std::nullopt);
}

TEST(PidIo, IsOfStorage) {
  const auto io = decode_pid_io(io_text(4096, 8192));
  ASSERT_TRUE(io);
  EXPECT_EQ(io->read_bytes, 4096U);
  EXPECT_EQ(io->write_bytes, 8192U);
}

TEST(PidIo, IsNothingWhereALineIsMissing) {
  const std::string text = io_text(4096, 8192);
  EXPECT_FALSE(decode_pid_io(""));
  EXPECT_FALSE(decode_pid_io(std::string_view(text).substr(0, text.find("write_bytes: 8"))));
  EXPECT_FALSE(decode_pid_io("read_bytes: 18446744073709551615\nwrite_bytes: 1\n"));
  EXPECT_FALSE(decode_pid_io("read_bytes: x\nwrite_bytes: 1\n"));
}

TEST(NetDev, HasBothHalves) {
  const auto device = decode_net_device(
      "  eth0: 307789733    7990    1    2    3     4          5         6   347027    4352    7    8    9   "
      "  10       "
      "11          12");
  ASSERT_TRUE(device);
  EXPECT_EQ(device->name, "eth0");
  EXPECT_EQ(device->rx_bytes, 307'789'733U);
  EXPECT_EQ(device->rx_packets, 7990U);
  EXPECT_EQ(device->rx_errors, 1U);
  EXPECT_EQ(device->rx_dropped, 2U);
  EXPECT_EQ(device->tx_bytes, 347'027U);
  EXPECT_EQ(device->tx_packets, 4352U);
  EXPECT_EQ(device->tx_errors, 7U);
  EXPECT_EQ(device->tx_dropped, 8U);
}

TEST(NetDev, TakesNamesWithoutABlankAndWithAColon) {
  EXPECT_EQ(decode_net_device("veth12345678901:123 1 0 0 0 0 0 0 456 1 0 0 0 0 0 0").value().rx_bytes, 123U);
  EXPECT_EQ(decode_net_device(" eth0:1: 123 1 0 0 0 0 0 0 456 1 0 0 0 0 0 0").value().name, "eth0:1");
}

TEST(NetDev, IsNothingForHeadingsAndHalfLines) {
  TextScanner lines(kNetDevHeadings);
  EXPECT_FALSE(decode_net_device(lines.rest_of_line()));
  lines.next_line();
  EXPECT_FALSE(decode_net_device(lines.rest_of_line()));
  EXPECT_FALSE(decode_net_device(""));
  EXPECT_FALSE(decode_net_device("eth0: 1 2 3"));
}

TEST(Mountinfo, HasWhatIsWhere) {
  const auto mount = decode_mount(
      "32 31 0:29 /docker/x /sys/fs/cgroup/cpu rw,relatime shared:1 master:2 - cgroup cgroup rw,cpu,cpuacct");
  ASSERT_TRUE(mount);
  EXPECT_EQ(mount->root, "/docker/x");
  EXPECT_EQ(mount->point, "/sys/fs/cgroup/cpu");
  EXPECT_EQ(mount->type, "cgroup");
  EXPECT_TRUE(has_word(mount->options, "cpuacct"));
  EXPECT_FALSE(has_word(mount->options, "acct"));
}

TEST(Mountinfo, ReadsEscapedPaths) {
  EXPECT_EQ(decode_mount("1 2 0:1 / /a\\040b\\134c rw - tmpfs none rw").value().point, "/a b\\c");
  EXPECT_EQ(decode_mount("1 2 0:1 / /a\\04 rw - tmpfs none rw").value().point, "/a\\04");
}

TEST(Mountinfo, IsNothingForHalfALine) {
  const std::string line = "32 31 0:29 / /sys rw shared:1 - cgroup cgroup rw";
  for (std::size_t size = 0; size < line.size() - 2; ++size) {
    EXPECT_FALSE(decode_mount(line.substr(0, size))) << size;
  }
}

TEST(PidCgroup, HasAPathForEachHierarchy) {
  const std::string_view text = "12:cpu,cpuacct:/a:b\n3:name=systemd:/s\n0::/unified\n";
  EXPECT_EQ(unified_group(text), "/unified");
  EXPECT_EQ(group_of(text, "cpuacct"), "/a:b");
  EXPECT_EQ(group_of(text, "memory"), std::nullopt);
  EXPECT_EQ(unified_group("12:cpu:/a\n"), std::nullopt);
  EXPECT_EQ(unified_group(""), std::nullopt);
  EXPECT_EQ(unified_group("no colon"), std::nullopt);
}

TEST(ProcStat, HasAllModesOfAllCores) {
  SystemSample sample;
  ASSERT_TRUE(
      read_proc_stat("cpu  100 200 300 400 500 600 700 800 900 1000\n"
                     "cpu0 1 2 3 4 5 6 7 8 9 10\n"
                     "cpu3 11 12 13 14 15 16 17 18 19 20\n"
                     "intr 12345 1 2 3\nctxt 42\nbtime 1700000000\nprocesses 43\nprocs_running 2\n"
                     "procs_blocked 1\nsoftirq 1 2\n",
                     sample));
  EXPECT_DOUBLE_EQ(sample.cpu.user, 1);
  EXPECT_DOUBLE_EQ(sample.cpu.nice, 2);
  EXPECT_DOUBLE_EQ(sample.cpu.system, 3);
  EXPECT_DOUBLE_EQ(sample.cpu.idle, 4);
  EXPECT_DOUBLE_EQ(sample.cpu.iowait, 5);
  EXPECT_DOUBLE_EQ(sample.cpu.irq, 6);
  EXPECT_DOUBLE_EQ(sample.cpu.softirq, 7);
  EXPECT_DOUBLE_EQ(sample.cpu.steal, 8);
  EXPECT_DOUBLE_EQ(sample.cpu.busy(), 27) << "guests are in user and nice";
  ASSERT_EQ(sample.cores.size(), 2U);
  EXPECT_EQ(sample.cores[1].core, 3U) << "the ones between are switched off";
  EXPECT_DOUBLE_EQ(sample.cores[1].times.steal, 0.18);
  EXPECT_EQ(sample.context_switches, 42U);
  EXPECT_EQ(sample.processes_forked, 43U);
  EXPECT_EQ(sample.processes_running, 2U);
  EXPECT_EQ(sample.processes_blocked, 1U);
}

TEST(ProcStat, ChangesNothingWhereItIsNone) {
  SystemSample sample;
  sample.cpu.user = 7;
  for (const char* text : {"", "cpu\n", "cpu 1 2 3\n", "cpu0 1 2 3 4\n", "cpu x 2 3 4\n", "\n"}) {
    EXPECT_FALSE(read_proc_stat(text, sample)) << text;
    EXPECT_DOUBLE_EQ(sample.cpu.user, 7);
  }
}

TEST(Meminfo, IsInBytes) {
  const auto memory = decode_meminfo(
      "MemTotal:       1000 kB\nMemFree:  200 kB\nMemAvailable:  300 kB\nBuffers: 40 kB\nCached: 50 kB\n"
      "SwapCached: 1 kB\nSwapTotal: 600 kB\nSwapFree: 70 kB\n");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->total_bytes, 1'024'000U);
  EXPECT_EQ(memory->free_bytes, 204'800U);
  EXPECT_EQ(memory->available_bytes, 307'200U);
  EXPECT_EQ(memory->buffers_bytes, 40'960U);
  EXPECT_EQ(memory->cached_bytes, 51'200U);
  EXPECT_EQ(memory->swap_total_bytes, 614'400U);
  EXPECT_EQ(memory->swap_free_bytes, 71'680U);
}

TEST(Meminfo, IsNothingWithoutATotal) {
  EXPECT_FALSE(decode_meminfo(""));
  EXPECT_FALSE(decode_meminfo("MemTotal: 1000 kB\n"));
  EXPECT_FALSE(decode_meminfo("MemTotal: 18446744073709551615 kB\nMemFree: 1 kB\n"));
}

TEST(Loadavg, HasThree) {
  const auto load = decode_loadavg("5.79 5.24 3.82 7/142 27722\n");
  ASSERT_TRUE(load);
  EXPECT_DOUBLE_EQ(load->one, 5.79);
  EXPECT_DOUBLE_EQ(load->five, 5.24);
  EXPECT_DOUBLE_EQ(load->fifteen, 3.82);
  for (const char* text : {"", "1.0 2.0", "nan 1 1", "inf 1 1", "x 1 1"})
    EXPECT_FALSE(decode_loadavg(text)) << text;
}

TEST(Diskstats, AreInBytesAndSeconds) {
  DiskSample disk;
  ASSERT_TRUE(read_disk(" 254 0 vda 100 2 8 4000 50 6 16 8000 9 1500 11 12 13 14 15 16 17", disk));
  EXPECT_EQ(disk.device, "vda");
  EXPECT_EQ(disk.reads, 100U);
  EXPECT_EQ(disk.read_bytes, 4096U);
  EXPECT_DOUBLE_EQ(disk.read_seconds, 4);
  EXPECT_EQ(disk.writes, 50U);
  EXPECT_EQ(disk.written_bytes, 8192U);
  EXPECT_DOUBLE_EQ(disk.write_seconds, 8);
  EXPECT_DOUBLE_EQ(disk.busy_seconds, 1.5);
  EXPECT_FALSE(read_disk("", disk));
  EXPECT_FALSE(read_disk("254 0 vda 1 2 3", disk));
  EXPECT_FALSE(read_disk("254 0 vda 1 2 18446744073709551615 4 5 6 7 8 9 10 11", disk));
}

TEST(Pressure, HasSomeAndFull) {
  const auto pressure = decode_pressure("io",
                                        "some avg10=12.50 avg60=1.00 avg300=2.00 total=1500000\n"
                                        "full avg10=0.25 avg60=0.00 avg300=0.00 total=500000\n");
  ASSERT_TRUE(pressure);
  EXPECT_EQ(pressure->resource, "io");
  EXPECT_DOUBLE_EQ(pressure->some_seconds, 1.5);
  EXPECT_DOUBLE_EQ(pressure->some_avg10_percent, 12.5);
  EXPECT_DOUBLE_EQ(pressure->full_seconds.value(), 0.5);
  EXPECT_DOUBLE_EQ(pressure->full_avg10_percent.value(), 0.25);
}

TEST(Pressure, NeedNotHaveFull) {
  const auto pressure = decode_pressure("cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n");
  ASSERT_TRUE(pressure);
  EXPECT_FALSE(pressure->full_seconds);
  EXPECT_FALSE(decode_pressure("cpu", ""));
  EXPECT_FALSE(decode_pressure("cpu", "some avg10=x avg60=0 avg300=0 total=1\n"));
  EXPECT_FALSE(decode_pressure("cpu", "some avg10=0.00 avg60=0.00 avg300=0.00"));
}

}  // namespace
}  // namespace metricsd::tools
