#include "topic_template.h"

#include <array>
#include <utility>

namespace metricsd::tools {

namespace {

void append_level(std::string& out, std::string_view value) {
  for (const char c : value) {
    const bool has_meaning =
        c == '/' || c == '+' || c == '#' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    out += has_meaning ? '_' : c;
  }
}

}  // namespace

std::optional<std::string> expand_topic(std::string_view topic, const TopicValues& values) {
  const std::array<std::pair<std::string_view, std::string_view>, 4> known{
      {{"domain", values.domain}, {"channel", values.channel}, {"node", values.node}, {"task", values.task}}};
  std::string out;
  while (!topic.empty()) {
    const auto brace = topic.find_first_of("{}");
    out += topic.substr(0, brace);
    if (brace == std::string_view::npos) break;
    const auto end = topic.find('}', brace);
    if (topic[brace] == '}' || end == std::string_view::npos) return std::nullopt;
    const std::string_view name = topic.substr(brace + 1, end - brace - 1);
    const auto* value = known.begin();
    while (value != known.end() && value->first != name) ++value;
    if (value == known.end()) return std::nullopt;
    append_level(out, value->second);
    topic.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace metricsd::tools
