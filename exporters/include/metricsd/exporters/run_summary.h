// A RunSummary for machines (aggregated.json, /api/v1/summary) and for people (the table at the end of a
// run).
#pragma once

#include <metricsd/models/json/writer.h>
#include <metricsd/models/statistics/summary.h>

#include <string>

namespace metricsd::exporters {

// Appends the document of docs/exports.md. A live summary (exponential_histogram) says its relative error and
// has no windows.
void render_summary_json(std::string& out, const RunSummary& summary, JsonWriter::Style style);

// Appends one line an operation type: count, errors, rate, MiB/s, p50, p90, p99, p99.9, max; then the errors
// by code and what was dropped. `colour` marks failures with ANSI colours.
void render_summary_table(std::string& out, const RunSummary& summary, bool colour);

}  // namespace metricsd::exporters
