// The answer of /api/v1/runs.
#pragma once

#include "live_runs.h"

#include <string>

namespace metricsd::server {

// Appends {"runs": [...]}, the run heard of first standing first.
void render_runs_json(std::string& out, const LiveRuns& runs);

}  // namespace metricsd::server
