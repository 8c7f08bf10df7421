// What must not have happened between two scrapes: that something fell which only grows.
#pragma once

#include <metricsd/support/exposition_parser.h>

#include <string>
#include <string_view>
#include <vector>

namespace metricsd::support {

// Counters, buckets and counts of `before` that are lower in `after`, or not there at all: a line each, as
// `requests_total{code="200"}: 5, then 3`. Sums are left out: a histogram of negative values may lower its
// own. Families whose name begins with one of `excepted` are left out too.
[[nodiscard]] std::vector<std::string> fallen_counters(const ExpositionPage& before,
                                                       const ExpositionPage& after,
                                                       const std::vector<std::string>& excepted = {});

}  // namespace metricsd::support
