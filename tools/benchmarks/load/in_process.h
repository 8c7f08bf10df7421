// The same events told to prometheus-cpp within one process: no socket, no other process.
#pragma once

#include "sender.h"

namespace metricsd::load {

struct Counted {
  Sent sent;
  std::uint64_t counted = 0;  // what its own Collect() says afterwards
};

// For each event: the series of three families looked up by its labels, and set; until `max_duration` is
// over.
[[nodiscard]] Counted tell_prometheus_cpp(std::chrono::nanoseconds max_duration);

}  // namespace metricsd::load
