// Looks at a task when it is time to, and gives what it sees to the files and the destinations.
#pragma once

#include "destination.h"
#include "process_files.h"
#include "system_sampler.h"
#include "tree_sampler.h"
#include "trend.h"

#include <metricsd/models/clock.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace metricsd::tools {

// What the whole watching showed.
struct Course {
  Aggregates aggregates{};
  Trend cpu{};
  Trend memory{};
  std::uint64_t most_processes = 0;                                       // alive at a sample
  std::map<std::string, std::uint64_t, std::less<>> most_processes_of{};  // by role
};

// One thread. What is passed in outlives it.
class Monitor {
 public:
  using Destinations = std::vector<std::unique_ptr<Destination>>;

  // The samplers: either may be null. `files` null: none are written.
  Monitor(const Task& task, TreeSampler* tree, SystemSampler* system, ProcessFiles* files,
          Destinations& destinations, const Clock& clock);

  // The first one starts the intervals.
  void sample(bool is_last = false);
  // Takes the sample that is due; one only, where several were missed.
  void sample_if_due();
  // Until then, for poll(2): 0 where it is now.
  [[nodiscard]] int wait_ms() const;

  [[nodiscard]] Course& course() { return course_; }
  [[nodiscard]] const Course& course() const { return course_; }
  // The last one; null where no processes are watched.
  [[nodiscard]] const TreeSample* tree() const { return last_tree_; }

 private:
  void add(const TreeSample& tree);

  const Task& task_;
  TreeSampler* const tree_;
  SystemSampler* const system_;
  ProcessFiles* const files_;
  Destinations& destinations_;
  const Clock& clock_;

  Course course_;
  const TreeSample* last_tree_ = nullptr;
  std::optional<std::int64_t> due_ns_;
};

}  // namespace metricsd::tools
