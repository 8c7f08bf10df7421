#include "formats/formats.h"

#include <metricsd/exporters/operation_format.h>

#include <array>

namespace metricsd::exporters {

std::span<const FormatEntry> operation_formats() {
  static constexpr std::array<FormatEntry, 3> kFormats{{
      {"jsonl", "operations.jsonl", make_jsonl},
      {"json", "operations.json", make_json},
      {"csv", "operations.csv", make_csv},
  }};
  return kFormats;
}

const FormatEntry* find_operation_format(std::string_view name) {
  for (const FormatEntry& entry : operation_formats()) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace metricsd::exporters
