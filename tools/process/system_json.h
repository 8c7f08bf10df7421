// A sample of the machine as JSON, with the names of docs/monitoring.md.
#pragma once

#include "system_sample.h"

#include <metricsd/models/json/writer.h>

namespace metricsd::tools {

// One object: timestamp, cpu (usage_percent, seconds by mode, cores), memory, load, disks, networks,
// pressure, cgroup and what stands beside them. What this kernel does not tell is left out.
void append_system_json(JsonWriter& json, const SystemSample& sample);

}  // namespace metricsd::tools
