#include "task_file.h"

#include "input_text.h"
#include "job_name.h"

#include <metricsd/models/json/document.h>

#include <cstddef>

#include <boost/json/object.hpp>

namespace metricsd::tools {

namespace {

namespace json = boost::json;

constexpr std::size_t kLargestFile = 1024 * 1024;  // a task's command and environment stand in it, too

// What is wrong with one of the three keys, or "". null means absent.
std::string set_key(TaskFile& task, std::string_view key, const json::value& value) {
  if (value.is_null()) return {};
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
  std::string key;
  const auto value = parse_json(text, key);
  const auto* const object = value ? value->if_object() : nullptr;
  if (object == nullptr) {
    why = "a task must be a JSON object";
    if (!value) why += ": " + (key.empty() ? "" : "\"" + key + "\": ") + value.error().message();
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
  std::error_code error;
  const auto text = read_input(path, kLargestFile, error);
  auto task = text && !text->empty() ? parse_task_file(*text, why) : std::nullopt;
  if (!text || text->empty()) why = text ? "it is empty" : error.message();
  if (task) {
    task->source = path.string();
  } else {
    why = path.string() + ": " + why;
  }
  return task;
}

}  // namespace metricsd::tools
