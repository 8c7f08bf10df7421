#include "task_file.h"

#include "job_name.h"

#include <metricsd/exporters/file_source.h>
#include <metricsd/models/json/document.h>

#include <cstddef>

#include <boost/json/object.hpp>

namespace metricsd::tools {

namespace {

namespace json = boost::json;

constexpr std::size_t kLargestFile = 1024 * 1024;  // a task's command and environment stand in it, too

// What is wrong with one of the three keys, or "".
std::string set_key(TaskFile& task, std::string_view key, const json::value& value) {
  if (key == "id") {
    const auto* const text = value.if_string();
    if (text == nullptr || !is_job_base(*text)) return "must be 1 to 200 bytes of text";
    task.id = std::string(*text);
  } else if (key == "daemon") {
    if (!value.is_bool()) return "must be true or false";
    task.daemon = value.get_bool();
  } else if (key == "monitoringProfile") {
    if (!value.is_object() && !value.is_string()) return "must be a profile or the name of one";
    task.monitoring_profile = value;
  }
  return {};
}

}  // namespace

std::optional<TaskFile> parse_task_file(std::string_view text, std::string& why) {
  const auto value = parse_json(text);
  const auto* const object = value ? value->if_object() : nullptr;
  if (object == nullptr) {
    why = "a task must be a JSON object" + (value ? "" : ": " + value.error().message());
    return std::nullopt;
  }
  TaskFile task;
  for (const auto& member : *object) {
    const std::string fault = set_key(task, member.key(), member.value());
    if (fault.empty()) continue;
    why = std::string(member.key()) + " " + fault;
    return std::nullopt;
  }
  return task;
}

std::optional<TaskFile> read_task_file(const std::filesystem::path& path, std::string& why) {
  const auto text = exporters::read_file(path, kLargestFile);
  auto task = text ? parse_task_file(*text, why) : std::nullopt;
  if (!text) why = text.error().message();
  if (!task) why = path.string() + ": " + why;
  return task;
}

}  // namespace metricsd::tools
