// Samples as JSON and as rows of CSV, with the names of docs/monitoring.md.
#pragma once

#include "process_sample.h"

#include <metricsd/models/json/writer.h>

#include <string>

namespace metricsd::tools {

// One object with timestamp and uptime_seconds, and of cpu_usage_percent, cpu_user_seconds,
// cpu_system_seconds, memory_usage_bytes, virtual_memory_bytes, memory_usage_percent, disk_read_bytes,
// disk_write_bytes, network_rx_bytes, network_tx_bytes, thread_count, file_descriptor_count what `collect`
// has. What could not be read is null.
void append_sample_json(JsonWriter& json, const ProcessSample& sample, const Collect& collect);
// The same fields between begin_object() and end_object() of the caller's.
void append_sample_fields(JsonWriter& json, const ProcessSample& sample, const Collect& collect);

// All fields, empty where they are null or not collected; no line end. `timestamp` comes first.
void append_sample_csv_header(std::string& out);
void append_sample_csv(std::string& out, const ProcessSample& sample, const Collect& collect);

}  // namespace metricsd::tools
