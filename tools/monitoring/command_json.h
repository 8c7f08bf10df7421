// The command in a JSON document.
#pragma once

#include <metricsd/models/json/writer.h>

#include <string>
#include <vector>

namespace metricsd::tools {

// The key `command` and its words. Arguments are any bytes, a document is UTF-8: what is none becomes U+FFFD.
void write_command(JsonWriter& json, const std::vector<std::string>& command);

}  // namespace metricsd::tools
