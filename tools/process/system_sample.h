// What the whole machine does and has. Seconds and bytes; cumulative figures are since it was booted.
//
// What this kernel does not tell (pressure without CONFIG_PSI, disks in a container) is absent.
#pragma once

#include "cgroup_sample.h"

#include <metricsd/models/timestamp.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::tools {

// Seconds by mode. The time of guests is in user and nice, as in proc(5).
struct CpuTimes {
  double user = 0;
  double nice = 0;
  double system = 0;
  double idle = 0;
  double iowait = 0;
  double irq = 0;
  double softirq = 0;
  double steal = 0;

  [[nodiscard]] double busy() const { return user + nice + system + irq + softirq + steal; }
};

struct CoreSample {
  unsigned core = 0;
  CpuTimes times;
  std::optional<double> usage_percent;  // since the sample before; nothing in the first
};

struct MemorySample {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
  std::uint64_t available_bytes = 0;
  std::uint64_t buffers_bytes = 0;
  std::uint64_t cached_bytes = 0;
  std::uint64_t swap_total_bytes = 0;
  std::uint64_t swap_free_bytes = 0;
};

struct LoadSample {
  double one = 0;  // over so many minutes
  double five = 0;
  double fifteen = 0;
};

// A disk or a partition; those that nothing was ever read from or written to are left out.
struct DiskSample {
  std::string device;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t written_bytes = 0;
  double read_seconds = 0;
  double write_seconds = 0;
  double busy_seconds = 0;  // with at least one request under way
};

struct NetworkSample {
  std::string device;
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t rx_packets = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t rx_errors = 0;
  std::uint64_t tx_errors = 0;
  std::uint64_t rx_dropped = 0;
  std::uint64_t tx_dropped = 0;
};

// Pressure stall information: how long some task, or all of them, waited for a resource.
struct PressureSample {
  std::string_view resource;  // cpu, memory, io
  double some_seconds = 0;
  std::optional<double> full_seconds;  // absent for the CPU before Linux 5.13
  double some_avg10_percent = 0;
  std::optional<double> full_avg10_percent;
};

struct SystemSample {
  Timestamp timestamp;
  std::optional<double> cpu_usage_percent;  // of all cores, 100 = one; since the sample before
  CpuTimes cpu;
  std::vector<CoreSample> cores;
  std::optional<MemorySample> memory;
  std::optional<LoadSample> load;
  std::vector<DiskSample> disks;
  std::vector<NetworkSample> networks;  // of the network namespace of this process
  std::vector<PressureSample> pressures;
  std::optional<CgroupSample> cgroup;  // of this process
  double uptime_seconds = 0;
  std::uint64_t processes_forked = 0;
  std::uint64_t processes_running = 0;
  std::uint64_t processes_blocked = 0;
  std::uint64_t context_switches = 0;
  std::uint64_t unreadable =
      0;  // files that were not there or did not read as they should, since the sampler began
  std::chrono::nanoseconds collection_duration{0};
};

}  // namespace metricsd::tools
