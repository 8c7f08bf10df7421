// A workload in its smallest form: one run, three operations, its files under the directory given.
#include <metricsd/client/collector.h>

#include <cstdlib>
#include <iostream>

int main(int argc, char** argv) {
  if (argc != 2) return EXIT_FAILURE;
  metricsd::client::Collector run({.test_name = "consumer", .export_dir = argv[1], .send_to_daemon = false});
  run.time("upload", "bucket/key", 4096).success();
  run.time("download", "bucket/key", 4096).failure("NoSuchKey");
  run.record({.operation_type = "delete", .duration = std::chrono::milliseconds(3)});
  const metricsd::client::Report report = run.finish();
  std::cout << report.table();
  for (const std::string& problem : report.problems) std::cerr << problem << '\n';
  return report.complete && report.recorded == 3 ? EXIT_SUCCESS : EXIT_FAILURE;
}
