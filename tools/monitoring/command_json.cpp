#include "command_json.h"

#include <metricsd/models/utf8.h>

namespace metricsd::tools {

void write_command(JsonWriter& json, const std::vector<std::string>& command) {
  json.key("command").begin_array();
  std::string valid;
  for (const std::string& word : command) {
    valid.clear();
    append_valid_utf8(valid, word);
    json.value(valid);
  }
  json.end_array();
}

}  // namespace metricsd::tools
