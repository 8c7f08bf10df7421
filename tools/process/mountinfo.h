// /proc/self/mountinfo, as proc(5) describes it: what is mounted where.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace metricsd::tools {

struct Mount {
  std::string root;   // of the mounted file system, what stands at `point`
  std::string point;  // where
  std::string_view type;
  std::string_view options;  // of the file system: a v1 control group's controllers among them
};

// One line of the file; nothing for what is none.
[[nodiscard]] std::optional<Mount> decode_mount(std::string_view line);

// Whether `name` is one of the words that commas separate.
[[nodiscard]] bool has_word(std::string_view words, std::string_view name);

}  // namespace metricsd::tools
