// For the segments of dead clients that nobody handed in: through the directories of segments.
#pragma once

#include "adoption_notes.h"
#include "delivery.h"
#include "orphans.h"
#include "segment_directory.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace metricsd::server {

// One thread.
class OrphanSearch {
 public:
  // All of them outlive it. `directories`: none need be there. `most_known`: orphans, at which it stops.
  OrphanSearch(std::vector<std::filesystem::path> directories, std::size_t most_known, Orphans& orphans,
               Delivery& delivery, AdoptionNotes& notes);
  OrphanSearch(const OrphanSearch&) = delete;
  OrphanSearch& operator=(const OrphanSearch&) = delete;

  // Has delivered what is found, as much as there is room for.
  void run();
  // Again, if it ended before all were seen and there is room by now.
  void go_on();

 private:
  void run_through(const std::filesystem::path& path);
  void look_at(const SegmentDirectory& directory, const std::string& name);
  void give_up(const std::string& name, const error_code& error);

  const std::vector<std::filesystem::path> directories_;
  const std::size_t most_known_;
  Orphans& orphans_;
  Delivery& delivery_;
  AdoptionNotes& notes_;
  bool has_ended_early_ = false;  // before all were seen
};

}  // namespace metricsd::server
