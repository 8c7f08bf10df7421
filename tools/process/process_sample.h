// What processes cost: one of them, those of a role, or a whole tree. Bytes, seconds, and 100 percent is one
// core.
//
// What the kernel does not tell us is nothing, never a guess; every cumulative figure only ever grows. Where
// each figure comes from is said where it is read: pid_stat.h, pid_io.h, net_dev.h, cgroup.h.
#pragma once

#include "collection_faults.h"

#include <metricsd/models/timestamp.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace metricsd::tools {

// What is to be looked at: the collect_* keys of a profile.
struct Collect {
  bool cpu = true;
  bool memory = true;
  bool disk_io = true;
  bool network_io = true;
  bool threads = true;
  bool file_descriptors = true;

  bool operator==(const Collect&) const = default;
};

// A figure that Collect leaves out is as it is here.
struct ProcessSample {
  Timestamp timestamp;
  // Lately (cpu_share.h). Nothing in the first sample, and where it is lost what some process did last.
  std::optional<double> cpu_usage_percent;
  // Of a tree and of a role: of those that have ended, too, and since attached to.
  double cpu_user_seconds = 0;
  double cpu_system_seconds = 0;
  // Resident: what processes share counts for each of them. Nothing of one in the middle of execve(2), and of
  // a sum where nothing of all is known.
  std::optional<std::uint64_t> memory_usage_bytes;
  std::uint64_t virtual_memory_bytes = 0;
  std::optional<double>
      memory_usage_percent;  // of the cgroup's limit, of the machine's memory where it has none
  // Storage, not the page cache. Of a process: with what the children had done that it waited for, as the
  // kernel has it. Of a tree: nothing twice, and what is closed to us is in it once a parent has waited for
  // it.
  std::optional<std::uint64_t> disk_read_bytes;
  std::optional<std::uint64_t> disk_write_bytes;
  // Of the network namespace, whoever in it sent them, loopback included. Of a process: since the namespace
  // began. Of a tree: since it is followed, each of its namespaces once. Never of a role.
  std::optional<std::uint64_t> network_rx_bytes;
  std::optional<std::uint64_t> network_tx_bytes;
  std::uint64_t thread_count = 0;
  std::optional<std::uint64_t> file_descriptor_count;
  double uptime_seconds = 0;    // of a tree and of a role: of the process that began first
  std::uint64_t processes = 1;  // how many living ones it is of
};

// A living process.
struct ProcessEntry {
  pid_t pid = 0;
  double start_time_seconds = 0;  // since 1970
  std::string_view role;          // lives as long as the sampler
  std::string comm;               // the kernel's 15 bytes of its name, as valid UTF-8
  ProcessSample sample;           // its own CPU, without that of its children
};

struct RoleSample {
  std::string_view role;  // lives as long as the sampler
  // CPU and disk of those that have ended, too. What lived too briefly to be seen is its parent's. No
  // network.
  ProcessSample sample;
  double start_time_seconds = 0;  // of the first process that was seen in it
};

struct TreeSample {
  ProcessSample total;
  std::vector<RoleSample> roles;        // in the order in which they were first seen; at most kRoles
  std::vector<ProcessEntry> processes;  // parents before their children; at most kListedProcesses
  CollectionFaults faults;              // since the sampler began
  std::int64_t taken_ns = 0;            // of a clock that never jumps
  std::int64_t began_ns = 0;  // of the same, when the counting did: before the command, or the first sample
  std::chrono::nanoseconds collection_duration{0};
};

inline constexpr std::size_t kRoles =
    31;  // the last one is kOverflowLabel; with the whole, 32 go to the daemon
inline constexpr std::size_t kListedProcesses = 4096;  // more would be a megabyte a sample

}  // namespace metricsd::tools
