// What the command line of metrics-monitor asks for.
#pragma once

#include "monitoring_options.h"
#include "role_rules.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <sys/types.h>

namespace metricsd::tools {

struct AttachOptions {
  MonitoringOptions monitoring;
  std::vector<pid_t> pids;
  std::string pattern;  // empty: none
  RoleRules roles;
  std::optional<double> duration_seconds;  // nothing: until what is watched has ended
};

// The options, or the exit code where the program ends here: help, version, a usage error (already printed).
[[nodiscard]] std::variant<AttachOptions, int> parse_options(int argc, char** argv);

}  // namespace metricsd::tools
