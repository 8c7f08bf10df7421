// file_descriptor_count: the entries of /proc/PID/fd.
#pragma once

#include <metricsd/models/errors.h>

#include <cstdint>

#include <sys/types.h>

namespace metricsd::tools {

// One thread.
class DescriptorCount {
 public:
  // `proc` is the descriptor of /proc, which stays open.
  explicit DescriptorCount(int proc);

  // What stat(2), open(2) and so on fail with where the directory is gone or closed to us.
  [[nodiscard]] Result<std::uint64_t> of(pid_t pid) const;

 private:
  int proc_;
  bool size_counts_;
};

}  // namespace metricsd::tools
