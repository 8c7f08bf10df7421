// Delivers what dead clients left behind: their segments, read by the daemon once nobody owns them.
//
//   a hello's descriptor ---> kept, until the client's death (its pidfd, or its lock coming free) or its bye
//   the segments' directory > looked through at start and now and then: orphans that nobody handed in
//   metricsctl adopt -------> handed in
//
// Then, of each: folded by the shard of its client, once; once a checkpoint holds that, the run's file is
// completed where it is ours to write, the segment is marked and its name removed. A death is never told from
// the end of a connection, and a pid never alone: whose lock is held is alive.
//
// What cannot be adopted (foreign, damaged, a link) is left as it lies, counted and told once.
#pragma once

#include "../ingest/shard.h"
#include "../log.h"
#include "adoption_figures.h"
#include "segment_intake.h"

#include <metricsd/models/clock.h>
#include <metricsd/models/errors.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

namespace metricsd::server {

struct AdopterOptions {
  std::vector<std::filesystem::path> directories;  // of segments; none need be there
  std::size_t most_kept = 0;                       // segments, at two descriptors each
};

// Has a thread of its own: looking through directories and writing to files may take their time.
class Adopter {
 public:
  // `shards` and `clock` outlive it; `shards` are complete before start().
  Adopter(const AdopterOptions& options, const std::vector<std::unique_ptr<Shard>>& shards,
          const Clock& clock, Logger logger);
  Adopter(const Adopter&) = delete;
  Adopter& operator=(const Adopter&) = delete;
  // Stops.
  ~Adopter();

  void start();
  // Ends the thread; what is not delivered yet is for the next daemon.
  void stop();

  // Any thread; valid as long as this.
  [[nodiscard]] SegmentIntake intake();
  [[nodiscard]] AdoptionFigures figures() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace metricsd::server
