// Prometheus text exposition format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format).
#pragma once

#include <metricsd/models/snapshot.h>

#include <string>
#include <string_view>

namespace metricsd::exporters {

inline constexpr std::string_view kPrometheusTextType = "text/plain; version=0.0.4; charset=utf-8";

// Appends the snapshot. A function of the snapshot alone; any thread.
void render_prometheus_text(std::string& out, const Snapshot& snapshot);

}  // namespace metricsd::exporters
