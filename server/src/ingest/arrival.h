// A connection that was let in, on its way to the shard that serves it.
#pragma once

#include "user_limits.h"

#include <metricsd/ipc/endpoint.h>
#include <metricsd/models/registry.h>
#include <metricsd/models/unique_fd.h>

namespace metricsd::server {

struct Arrival {
  UniqueFd socket;      // non-blocking
  Gauge::Owner id = 0;  // unique over all shards
  ipc::PeerCredentials peer;
  Seat seat;
};

}  // namespace metricsd::server
