// Puts a sample together from what was read of each process and counted of each role.
#pragma once

#include "boot_time.h"
#include "cpu_share.h"
#include "members.h"
#include "memory_base.h"
#include "network_namespaces.h"
#include "process_sample.h"
#include "role_book.h"

#include <cstdint>
#include <optional>

namespace metricsd::tools {

// What one sample is made of. All references outlive the call.
struct TreeReading {
  Members& members;
  RoleBook& roles;
  const NetworkNamespaces& networks;
  const MemoryBase& memory;
  const BootTime& boot_time;
  const Collect& collect;
  Timestamp now;
  std::int64_t now_ns;             // of the clock that never jumps
  std::optional<Start> start;      // of the process that began first
  std::optional<CpuShare>& share;  // of the whole; nothing before the first sample, unless it is known when
                                   // nothing was used
  bool is_first;                   // sample
};

// Fills in all but the faults and the duration, and notes what the next sample's CPU is the difference to.
void summarize(const TreeReading& reading, TreeSample& sample);

}  // namespace metricsd::tools
