// A ring's reader that has no queue and no files.
#pragma once

#include "ring.h"

#include <cstddef>
#include <cstdint>

namespace metricsd::client::testing {

inline void take_and_release(Ring& ring, std::size_t bytes, std::uint64_t records, std::uint64_t sequenced) {
  ring.take(bytes, records, sequenced);
  ring.release();
}

}  // namespace metricsd::client::testing
