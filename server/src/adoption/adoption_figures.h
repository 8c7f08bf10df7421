// What the status and the scrape say of segments.
#pragma once

#include <cstdint>

namespace metricsd::server {

// Since the start.
struct AdoptionFigures {
  std::uint64_t segments = 0;    // delivered
  std::uint64_t records = 0;     // of these, that were not known before
  std::uint64_t file_lines = 0;  // that runs' files got
  std::uint64_t refused = 0;     // segments that contradict themselves, or are not what they should be
  std::uint64_t unfinished = 0;  // segments delivered but for lines of a file that is not ours to write
  std::uint64_t not_kept = 0;    // segments of living clients that there was no room for
  std::uint64_t kept = 0;        // of living clients, now
};

}  // namespace metricsd::server
