// What a family is to be, from the options a caller gives: for MetricRegistry::define(), which adds the names
// of the labels and checks the rest.
#pragma once

#include <metricsd/client/metrics.h>
#include <metricsd/models/family.h>

namespace metricsd::client {

[[nodiscard]] FamilySpec spec_of(const CounterOptions& options);
[[nodiscard]] FamilySpec spec_of(const GaugeOptions& options);
[[nodiscard]] FamilySpec spec_of(const HistogramOptions& options);

}  // namespace metricsd::client
