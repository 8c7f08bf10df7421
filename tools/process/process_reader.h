// Reads what a process that is followed costs now. What is closed to us, or gone meanwhile, is counted and
// left as it was known last.
#pragma once

#include "collection_faults.h"
#include "descriptor_count.h"
#include "kernel_files.h"
#include "member.h"
#include "pid_stat.h"
#include "process_sample.h"

#include <boost/system/error_code.hpp>

namespace metricsd::tools {

// One thread.
class ProcessReader {
 public:
  // `proc` and `faults` live longer than this.
  ProcessReader(KernelFiles& proc, const Collect& collect, CollectionFaults& faults);

  // Sets the state and the figures of a member; its names where they have changed, and then returns true.
  bool read(Member& member, std::int64_t now_ns);

 private:
  bool take(Member& member, const PidStat& stat, std::int64_t now_ns);
  void read_details(Member& member, const PidStat& stat, bool is_new_image, std::int64_t now_ns);
  void read_io(Member& member, Cost& shared);
  void read_network(Member& member, std::int64_t now_ns);
  void count_fault(Member& member, const boost::system::error_code& error);

  KernelFiles& proc_;
  Collect collect_;
  CollectionFaults& faults_;
  DescriptorCount descriptors_;
};

}  // namespace metricsd::tools
