#include "formats/formats.h"

#include <metricsd/exporters/operation_format.h>

#include <algorithm>
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

std::optional<std::vector<std::string>> parse_format_list(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view name = list.substr(0, comma);
    if (find_operation_format(name) == nullptr || comma + 1 == list.size()) return std::nullopt;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return names;
}

}  // namespace metricsd::exporters
