#include "run_options.h"

namespace metricsd::tools {

client::RunOptions run_options(const BenchOptions& options, std::uint64_t users) {
  client::RunOptions run;
  run.test_name = options.test_name;
  run.scenario = options.scenario;
  run.workload_type = "http";
  run.driver = "objectbench";
  run.num_users = users;
  run.export_dir = options.export_dir;
  run.exports = options.exports;
  run.socket = options.socket;
  return run;
}

}  // namespace metricsd::tools
