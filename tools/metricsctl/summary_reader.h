// A RunSummary from its JSON: aggregated.json, or what the daemon answers to /api/v1/summary.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/statistics/summary.h>

#include <string_view>

namespace metricsd::tools {

// What is missing is left empty, so that a live summary, which knows less, reads as well; windows are not
// read. Errors: those of parse_json(), not_an_object.
[[nodiscard]] Result<RunSummary> read_summary_json(std::string_view text);

}  // namespace metricsd::tools
