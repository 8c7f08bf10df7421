// How the daemon's descriptors are shared out, so that senders cannot take those a scrape needs, and what
// each user may take, so that none keeps the others out.
#pragma once

#include "config.h"
#include "ingest/user_limits.h"

#include <cstddef>

namespace metricsd::server {

// As many descriptors as the machine lets us have: each sender holds one. The limit after that.
std::size_t raise_descriptor_limit();

// How many connections each side may hold.
struct DescriptorShares {
  std::size_t ingest = 0;
  std::size_t http = 0;
  std::size_t segments = 0;  // of clients, at two descriptors each
};

// Of `limit` descriptors, of which so many are taken already.
[[nodiscard]] DescriptorShares share_descriptors(std::size_t limit, std::size_t in_use);

// What each user may take. A part of the connections is always the others'.
struct UserLimitPair {
  UserLimit others;
  UserLimit owner;  // the daemon's own user, and root
};

// Of so many connections.
[[nodiscard]] UserLimitPair user_limits(const Config& config, std::size_t connections);

}  // namespace metricsd::server
