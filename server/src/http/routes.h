// What the daemon answers over HTTP: the README lists the routes.
#pragma once

#include "../snapshots.h"
#include "router.h"

#include <metricsd/models/errors.h>

#include <functional>
#include <string>
#include <vector>

namespace metricsd::server::http {

// What the routes read, on any thread. What is referred to outlives the routes.
struct RouteSources {
  Snapshots& snapshots;
  std::function<Result<std::string>()> status;  // the document
  std::function<bool()> ready;
  const Clock& clock;
};

[[nodiscard]] std::vector<Route> make_routes(const RouteSources& sources, const std::string& telemetry_path);

}  // namespace metricsd::server::http
