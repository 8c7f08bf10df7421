// A topic with places for what is known only when it is used: `m/{domain}/c/{channel}/metrics/proplet`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace metricsd::tools {

// What stands for {domain}, {channel}, {node} and {task}.
struct TopicValues {
  std::string_view domain;
  std::string_view channel;
  std::string_view node;
  std::string_view task;
};

// The topic; nothing where the template names something else or has a brace too many. A value stays within
// its level: what MQTT gives a meaning (`/`, `+`, `#`) and control characters become `_` in it.
[[nodiscard]] std::optional<std::string> expand_topic(std::string_view topic, const TopicValues& values);

}  // namespace metricsd::tools
