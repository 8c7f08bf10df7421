#include "tasks_json.h"

#include <metricsd/models/json/writer.h>
#include <metricsd/models/timestamp.h>

namespace metricsd::server {
namespace {

void write_role(JsonWriter& json, const std::string& task_id, const Task& task, const std::string& name,
                const TaskRole& role) {
  json.begin_object()
      .field("task_id", task_id)
      .field("node", role.node())
      .field("role", name)
      .field("pid", role.pid())
      .field("connected", task.is_connected())
      .field("interval", role.interval())
      .field("last_seen", format_timestamp(role.told().wall))
      .field("samples", role.kept())
      .key("last")
      .raw(role.newest())
      .end_object();
}

}  // namespace

void render_processes_json(std::string& out, const TaskHistory& history) {
  JsonWriter json(out);
  json.begin_object().key("processes").begin_array();
  history.look([&json](const Tasks& tasks) {
    for (const auto& [id, task] : tasks) {
      for (const auto& [name, role] : task.roles) write_role(json, id, task, name, role);
    }
  });
  json.end_array().end_object();
}

void render_task_page_json(std::string& out, const TaskPage& page, std::uint64_t offset,
                           std::uint64_t limit) {
  JsonWriter json(out);
  json.begin_object().field("offset", offset).field("limit", limit).field("total", page.total);
  json.key("metrics").begin_array();
  for (const std::string& sample : page.metrics) json.raw(sample);
  json.end_array().key("aggregated");
  page.aggregated.empty() ? json.null() : json.raw(page.aggregated);
  json.end_object();
}

}  // namespace metricsd::server
