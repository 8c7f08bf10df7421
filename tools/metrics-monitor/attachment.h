// What metrics-monitor watches: processes by number until they have ended, processes by name for as long as
// there are any.
#pragma once

#include "options.h"
#include "process_search.h"
#include "tree_sampler.h"

#include <metricsd/models/unique_fd.h>

#include <optional>
#include <string>
#include <vector>

namespace metricsd::tools {

// One thread.
class Attachment {
 public:
  // Nothing where none of the processes is there; `why` says so.
  [[nodiscard]] static std::optional<Attachment> make(const AttachOptions& options, TreeSampler& sampler,
                                                      std::string& why);

  // Has the sampler follow what has come to fit the pattern.
  void look_for_more();

  // Waits for a signal, the end of a process or the time; what is due then the caller sees for himself.
  void wait(int signals, int timeout_ms);
  // All that were named by number have ended, and nothing that was named by its name lived at the last
  // sample.
  [[nodiscard]] bool is_over() const;

  // The first process; 0 where there is none.
  [[nodiscard]] pid_t first() const { return first_; }

 private:
  explicit Attachment(TreeSampler& sampler) : sampler_(&sampler) {}
  // Errno; 0 where it is followed now.
  [[nodiscard]] int attach(pid_t pid);

  TreeSampler* sampler_;
  std::vector<UniqueFd> processes_;  // pidfds of those by number that live
  std::optional<ProcessSearch> search_;
  pid_t first_ = 0;
  bool watches_any_ = false;
};

}  // namespace metricsd::tools
