// What the command line of metrics-run asks for.
#pragma once

#include "monitoring_options.h"
#include "role_rules.h"

#include <string>
#include <variant>
#include <vector>

namespace metricsd::tools {

struct RunCommandOptions {
  MonitoringOptions monitoring;
  RoleRules roles;
  bool wait_for_all = false;
  std::vector<std::string> command;  // one word at least
};

// The options, or the exit code where the program ends here: help, version, a usage error (already printed).
[[nodiscard]] std::variant<RunCommandOptions, int> parse_options(int argc, char** argv);

}  // namespace metricsd::tools
