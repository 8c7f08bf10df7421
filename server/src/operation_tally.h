// What several operations with the same labels come to: gathered while they are read, counted at once.
#pragma once

#include <metricsd/models/decimal.h>
#include <metricsd/models/statistics/moments.h>

#include <cstdint>

namespace metricsd::server {

struct OperationTally {
  Moments durations_ns;
  Moments sizes;
  Uint128 retries = 0;

  [[nodiscard]] std::uint64_t count() const { return durations_ns.count(); }
};

}  // namespace metricsd::server
