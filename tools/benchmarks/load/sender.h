// Sends rendered events over connections, one thread for each, and says what that took.
#pragma once

#include "connection.h"
#include "dialect.h"

#include <chrono>
#include <cstdint>

namespace metricsd::load {

struct SendOptions {
  const Dialect* dialect = nullptr;
  Address address;
  std::size_t events_a_write = 1;
  unsigned connections = 1;
  std::uint64_t max_events = 0;              // of each connection; 0: no bound but the time
  std::chrono::nanoseconds max_duration{0};  // of the writing
};

struct Sent {
  std::uint64_t events = 0;
  std::uint64_t writes = 0;
  std::uint64_t bytes = 0;
  double seconds = 0;  // until the peer, having read all, has closed the last connection
};

// Throws std::system_error where the peer does not play its part.
[[nodiscard]] Sent send(const SendOptions& options);

}  // namespace metricsd::load
