// What a task's processes cost: for who monitors them, and has the daemon keep it as the task's history.
#pragma once

#include <cstdint>
#include <string_view>

namespace metricsd::client {

// One sample of a task, or of one role in it, at one moment. Texts are UTF-8; the daemon keeps the two
// objects as they are and shows them under /api/v1/processes and /api/v1/tasks/ID/metrics. Where the metrics
// of the task are told too, its id is their label `job_name`: they stay in the scrape as long as somebody
// tells of the task.
struct TaskSample {
  std::string_view task_id;          // 1-256 bytes
  std::string_view metrics;          // a JSON object of at most 8 KiB
  std::string_view aggregated{};     // likewise, over all samples so far; empty: not told
  std::string_view role{};           // at most 256 bytes; empty: of the whole task
  std::string_view node{};           // likewise: where it runs
  std::uint64_t pid = 0;             // at most 2^53
  std::uint64_t history_size = 100;  // of this task and role the daemon keeps so many: at most 10,000
  double interval = 0;               // seconds to the next one; 0: not known
};

}  // namespace metricsd::client
