// Samples of processes with all their descendants. Each costs some ten microseconds a process, and memory
// only while a tree grows.
//
// A process is a pid and when it started: a pid that is used again is another one. One that was followed is
// followed to its end, whoever has become its parent. CPU and I/O of one that has ended stay in the total,
// and are not counted again when they appear in the figures of who waited for it (account.h). What is
// attached to counts from then on, with those of its descendants that were there; who comes later, from its
// beginning.
#pragma once

#include "process_sample.h"
#include "role_rules.h"
#include "roots.h"

#include <metricsd/models/clock.h>

#include <memory>

#include <sys/resource.h>

namespace metricsd::tools {

// One thread.
class TreeSampler {
 public:
  // `clock` lives longer than this. Where `roots.proc` is not there every sample is empty.
  TreeSampler(const Roots& roots, RoleRules rules, Collect collect, const Clock& clock);
  TreeSampler(TreeSampler&&) noexcept;
  TreeSampler& operator=(TreeSampler&&) noexcept;
  ~TreeSampler();

  // When nothing of all this had used anything, by the clock that never jumps: before the command was
  // started. To be said before the first sample, else that is where CPU is counted from.
  void began(std::int64_t at_ns);

  enum class Scope { process, tree };
  // Both may be called for many, at any time, and change nothing of whom is followed. False where there is no
  // such process. To follow: what begins with the watching, and has done nothing before that is not to be
  // counted.
  bool follow(pid_t root, Scope scope = Scope::tree);
  // What has run before: all its sums, those of CPU and disk too, are since now.
  bool attach(pid_t root);
  // Whoever becomes a child of this process from now on, and its descendants: the orphans of a harness that
  // is their subreaper. The harness itself is not one of them.
  void follow_orphans_of(pid_t subreaper);

  // The harness has waited for this child of its own, and wait4(2) said what it and its waited-for children
  // used. Say so before the next sample: its last figures are exact then. `pid` need not have been seen.
  void reaped(pid_t pid, const rusage& usage);

  // Whether anything that is followed lived at the last sample.
  [[nodiscard]] bool is_alive() const;

  // Valid until the next one.
  [[nodiscard]] const TreeSample& sample();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace metricsd::tools
