// An observation to tell, and what it stands on.
#pragma once

#include "destination.h"
#include "system_sample.h"

#include <string_view>
#include <utility>

namespace metricsd::tools {

class Observed {
 public:
  Observed() {
    task.task_id = "task";
    task.job_name = "job_1";
    task.node = "node";
  }

  RoleSample& role(std::string_view name) {
    for (RoleSample& role : tree.roles) {
      if (role.role == name) return role;
    }
    tree.roles.push_back({name, {}, 1000});
    return tree.roles.back();
  }
  [[nodiscard]] Observation observation(bool is_last = false) const {
    return {task, &tree, system_is_told ? &system : nullptr, aggregates, is_last};
  }

  Task task;
  TreeSample tree;
  SystemSample system;
  bool system_is_told = false;
  Aggregates aggregates;
};

}  // namespace metricsd::tools
