// What is answered of tasks: /api/v1/processes and /api/v1/tasks/ID/metrics.
#pragma once

#include "task_history.h"

#include <cstdint>
#include <string>

namespace metricsd::server {

// Appends `{"processes": [...]}`: each role of each task.
void render_processes_json(std::string& out, const TaskHistory& history);
// Appends a page that was asked for from `offset` on, at most `limit` of them.
void render_task_page_json(std::string& out, const TaskPage& page, std::uint64_t offset, std::uint64_t limit);

}  // namespace metricsd::server
