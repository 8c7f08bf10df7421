#include "run_options.h"

#include <sstream>

namespace metricsd::tools {

namespace {

// As JSON. A URL that was accepted has nothing in it to escape.
std::string load_of(const BenchOptions& options) {
  std::ostringstream json;
  json << R"({"url":")" << (options.url ? options.url->origin + options.url->base_path : "")
       << R"(","processes":)" << options.processes << R"(,"users":)" << options.users
       << R"(,"duration_seconds":)" << options.duration.count() << R"(,"objects":)" << options.objects
       << R"(,"size_min":)" << options.size.min << R"(,"size_max":)" << options.size.max
       << R"(,"mix":{"upload":)" << options.mix.upload << R"(,"download":)" << options.mix.download
       << R"(,"delete":)" << options.mix.remove << R"(},"seed":)" << options.seed << '}';
  return json.str();
}

}  // namespace

client::RunOptions run_options(const BenchOptions& options, std::uint64_t users) {
  client::RunOptions run;
  run.test_name = options.test_name;
  run.scenario = options.scenario;
  run.workload_type = "http";
  run.driver = "objectbench";
  run.num_users = users;
  run.test_config = load_of(options);
  run.export_dir = options.export_dir;
  run.exports = options.exports;
  run.socket = options.socket;
  return run;
}

}  // namespace metricsd::tools
