// The options that metrics-run and metrics-monitor have in common, and the task they make.
#pragma once

#include "destination.h"
#include "destinations/destinations.h"
#include "profile_choice.h"

#include <metricsd/models/clock.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace metricsd::tools {

struct MonitoringOptions {
  ProfileFlags profile;
  std::string task_file;
  std::string job;   // the name in front of the job's; empty: the task's id, or what the program suggests
  std::string node;  // empty: the host's name
  bool with_system = false;

  std::filesystem::path export_dir = "./metrics";
  std::string socket;  // empty: where clients usually look
  std::string metric_namespace = "workload";
  bool no_export = false;
  PushOptions push;  // url empty: to none
  MqttOptions mqtt;  // url empty: to none
  bool quiet = false;
};

void add_monitoring_options(CLI::App& app, MonitoringOptions& options);

// The task that begins now; `suggested` is the job's name in front where neither a flag nor a file says one.
// On a fault `why` says it in one line.
struct TaskPlan {
  Task task;
  std::string base;         // of the job's name
  bool is_service = false;  // by flag or by the task's file
};
[[nodiscard]] std::optional<TaskPlan> plan_task(const MonitoringOptions& options, std::string_view suggested,
                                                const Clock& clock, std::string& why);

}  // namespace metricsd::tools
