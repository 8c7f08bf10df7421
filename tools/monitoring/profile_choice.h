// Which profile a task gets: by itself standard, a service daemon; then what the environment, the task's file
// and the command line say, each beating the one before it key by key.
#pragma once

#include "profile.h"
#include "task_file.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace metricsd::tools {

// What the command line says; nothing where it does not.
struct ProfileFlags {
  std::string profile;  // a built-in name, JSON, or a file of JSON
  std::optional<double> interval_seconds;
  std::optional<bool> enabled;
  bool service = false;
};

// A variable of the environment; nothing where it is unset or empty.
using Variables = std::function<std::optional<std::string>(const char*)>;
[[nodiscard]] Variables variables_of_process();

// `task` null: there is no file. Variables: METRICSD_ENABLE_MONITORING (true, false, 1, 0, yes, no, on, off)
// and METRICSD_MONITORING_INTERVAL (seconds). On a fault `why` says in one line where it is.
[[nodiscard]] std::optional<Profile> choose_profile(const ProfileFlags& flags, const TaskFile* task,
                                                    const Variables& variables, std::string& why);

}  // namespace metricsd::tools
