// One user: a thread with one connection that does one operation after another and records each.
#pragma once

#include "options.h"
#include "shared_progress.h"

#include <metricsd/client/collector.h>

#include <chrono>

namespace metricsd::tools {

struct UserTask {
  const BenchOptions& options;
  client::Collector& run;
  SharedProgress& progress;
  std::chrono::steady_clock::time_point deadline;
  unsigned number;  // among all users of the run, from 0
};

// Returns at the deadline or when told to stop, its objects removed from the server.
void run_user(const UserTask& task);

}  // namespace metricsd::tools
