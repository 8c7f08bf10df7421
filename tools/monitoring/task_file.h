// The file that describes a task: a JSON object of which three keys matter here, `id`, `daemon` and
// `monitoringProfile` (a profile's object, or the name of a built-in one). The others are somebody else's.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace metricsd::tools {

struct TaskFile {
  std::string id;       // 1 to 200 bytes; "" where the file has none
  bool daemon = false;  // a service
  std::optional<boost::json::value> monitoring_profile{};
  std::string source{};  // the file's name; "" of text
};

// On a fault `why` says it in one line that names the key.
[[nodiscard]] std::optional<TaskFile> parse_task_file(std::string_view text, std::string& why);
[[nodiscard]] std::optional<TaskFile> read_task_file(const std::filesystem::path& path, std::string& why);

}  // namespace metricsd::tools
