// When processes began: /proc/PID/stat counts in ticks since boot, /proc/uptime says how long ago that was
// (proc(5)). Both leave out the same, so that their difference is right in a time namespace, too.
#pragma once

#include "kernel_files.h"

#include <metricsd/models/timestamp.h>

#include <cstdint>

namespace metricsd::tools {

// The start of a process.
struct Start {
  std::uint64_t ticks = 0;  // since boot
  double seconds = 0;       // since 1970
};

// One thread.
class BootTime {
 public:
  // Once a sample. Where it can not be read, what is known stays.
  void read(KernelFiles& proc, Timestamp now);

  [[nodiscard]] double uptime_seconds() const { return uptime_seconds_; }
  [[nodiscard]] Start start_of(std::uint64_t ticks) const;
  [[nodiscard]] Start now() const;
  // How long ago that was: 0 where it is to come.
  [[nodiscard]] double seconds_since(std::uint64_t ticks) const;

 private:
  double uptime_seconds_ = 0;
  double booted_seconds_ = 0;  // since 1970
};

}  // namespace metricsd::tools
