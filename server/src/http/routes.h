// What the daemon answers over HTTP: docs/metrics.md lists the routes.
#pragma once

#include "../snapshots.h"
#include "../status.h"
#include "router.h"

#include <metricsd/models/errors.h>

#include <functional>
#include <string>
#include <vector>

namespace metricsd::server::http {

// What the routes read. Both may be called from any thread and outlive the routes.
struct RouteSources {
  Snapshots& snapshots;
  std::function<Result<Status>()> status;
  std::function<bool()> ready;
  const Clock& clock;
};

[[nodiscard]] std::vector<Route> make_routes(RouteSources sources, const std::string& telemetry_path);

}  // namespace metricsd::server::http
