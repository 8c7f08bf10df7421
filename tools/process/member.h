// A process that is followed, and what was last read of it.
#pragma once

#include "account.h"
#include "cpu_share.h"
#include "network_namespaces.h"

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

namespace metricsd::tools {

inline constexpr std::size_t kComm = 64;  // a kernel thread's name; others have 15 bytes

struct Member {
  enum class State { living, zombie, ended };

  // Who it is.
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  // since boot
  double start_time_seconds = 0;  // since 1970
  pid_t parent = 0;               // at the last reading
  // One that began before, in ticks since boot, is counted from its first reading on: it was there when it,
  // or who it descends from, was attached to.
  std::uint64_t counts_from_ticks = 0;
  bool is_alone = false;  // its children are not followed, nor is what they cost
  State state = State::living;

  // What it is called.
  std::string kernel_name;  // any bytes
  std::string comm;         // the same as valid UTF-8
  std::uint64_t stack_start = 0;
  std::size_t role = 0;

  // What it has and does.
  Account account;
  std::int64_t read_ns = 0;                     // when it was read last
  std::optional<CpuShare> share;                // of its own CPU, once it was read
  std::optional<std::uint64_t> resident_bytes;  // nothing in the middle of execve(2)
  std::uint64_t virtual_bytes = 0;
  std::uint64_t threads = 0;
  std::optional<std::uint64_t> descriptors;
  std::optional<NetworkNamespaces::Id> network;
  std::int64_t network_read_ns = 0;
  bool has_disk = false;

  bool was_read = false;  // at least once
  bool is_final = false;  // who waited for it has told all it used
  bool is_lost = false;   // it has ended, and nobody who is followed can have been told what it used
  bool is_denied = false;
  bool is_counted_zombie = false;

  [[nodiscard]] bool was_there() const { return start_ticks < counts_from_ticks; }
  [[nodiscard]] std::uint64_t cpu_ns() const { return account.own().user_ns + account.own().system_ns; }
};

}  // namespace metricsd::tools
