// Finds the processes that have come to a tree: whose parent is in it, up to a fixed point.
//
// All pids of the machine are listed at every sample, but a process is read only until it is known to be a
// stranger: its parents lead outside. That is believed for some seconds, since its pid may become another
// process.
#pragma once

#include "collection_faults.h"
#include "kernel_files.h"
#include "members.h"
#include "pid_listing.h"

#include <cstdint>
#include <vector>

#include <sys/types.h>

namespace metricsd::tools {

// One thread.
class Discovery {
 public:
  // All three live longer than this.
  Discovery(KernelFiles& proc, Members& members, CollectionFaults& faults);

  // Whoever's parent this is comes to the tree, too.
  void adopt_children_of(pid_t subreaper);
  // Who was a stranger may no longer be one.
  void forget_strangers() { strangers_.clear(); }

  // Adds them to the members, parents before their children; nothing of them but who they are is read.
  void run(std::int64_t now_ns);
  // What the last run() listed.
  [[nodiscard]] const std::vector<pid_t>& list() { return listing_.read(); }

 private:
  struct Stranger {
    pid_t pid;
    std::uint64_t start_ticks;
    std::int64_t checked_ns;
  };
  enum class Standing { unknown, member, stranger };
  struct Candidate {
    pid_t pid;
    pid_t parent;
    std::uint64_t start_ticks;
    Standing standing = Standing::unknown;
  };

  void read_newcomers(std::int64_t now_ns);
  void read_newcomer(pid_t pid, const Stranger* known, std::int64_t now_ns);
  bool judge_all();
  [[nodiscard]] Standing judge(const Candidate& candidate);
  [[nodiscard]] bool is_stranger(pid_t pid) const;
  bool add(const Candidate& candidate);
  void keep_strangers(std::int64_t now_ns);

  KernelFiles& proc_;
  Members& members_;
  CollectionFaults& faults_;
  PidListing listing_;
  std::vector<pid_t> subreapers_;
  std::vector<Stranger> strangers_;    // by pid
  std::vector<Stranger> kept_;         // of them, in this run
  std::vector<Candidate> candidates_;  // by pid
};

}  // namespace metricsd::tools
