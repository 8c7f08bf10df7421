// What could not be read as usual, and what became of it: nothing of this is an error, and none of it is a
// number that is wrong.
#pragma once

#include <cstdint>

namespace metricsd::tools {

// Counts since the sampler began.
struct CollectionFaults {
  std::uint64_t gone = 0;    // ended between being listed and being read
  std::uint64_t lost = 0;    // ended, and nobody of the tree waited: what they did since last read is unknown
  std::uint64_t reused = 0;  // pids that had become another process
  std::uint64_t denied = 0;  // processes some file of which is closed to us
  std::uint64_t zombies = 0;    // processes seen that had ended and that nobody had waited for
  std::uint64_t malformed = 0;  // files that could not be read, or not as they should
  std::uint64_t unfollowed =
      0;  // descendants beyond kFollowed: known only from what their parents waited for

  bool operator==(const CollectionFaults&) const = default;
};

}  // namespace metricsd::tools
