// usage: recording_program SHAPE DIRECTORY
//
// Records 100,000 operations of one shape between two system calls that nothing else makes: getppid(). What
// the recording thread does between them is the test's to see, from outside.

#include <metricsd/client/collector.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>

#include <unistd.h>

namespace {

namespace client = metricsd::client;
using namespace std::chrono_literals;

constexpr int kOperations = 100'000;

std::map<std::string, std::function<void()>> shapes_of(client::Collector& run,
                                                       client::BoundOperation upload) {
  const auto start = std::chrono::system_clock::now();
  return {
      {"bound", [=] { upload.record({.duration = 1ms, .object_size_bytes = 1, .start = start}); }},
      {"bound_without_start", [=] { upload.record({.duration = 1ms, .object_size_bytes = 1}); }},
      {"bound_with_texts",
       [=] { upload.record({.success = false, .error_code = "SlowDown", .object_key = "k"}); }},
      {"bound_timer", [=] { upload.time().success(); }},
      {"texts",
       [&run, start] {
         run.record(
             {.operation_type = "upload", .duration = 1ms, .object_key = "bucket/key", .start = start});
       }},
      {"texts_without_start", [&run] { run.record({.operation_type = "upload", .duration = 1ms}); }},
      {"metrics",
       [&run, start, requests = run.counter({.name = "requests"}), depth = run.gauge({.name = "depth"}),
        wait = run.histogram({.name = "wait"})] {
         requests.add();
         depth.add(1);
         wait.observe(0.002);
         run.record({.operation_type = "upload", .duration = 1ms, .start = start});
       }},
      {"timer", [&run] { run.time("upload", "bucket/key").success(); }},
  };
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return EXIT_FAILURE;
  client::RunOptions options;
  options.export_dir = argv[2];
  options.exports = {};
  options.join_from_environment = false;
  options.send_to_daemon = false;
  options.ring_bytes = std::size_t{32} << 20;  // nothing is dropped
  client::Collector run(options);
  const auto shapes = shapes_of(run, run.bind("upload", {.workload_type = "s3"}));
  const auto shape = shapes.find(argv[1]);
  if (!run || shape == shapes.end()) return EXIT_FAILURE;
  shape->second();  // the thread's first call takes its ring
  ::getppid();
  for (int i = 0; i < kOperations; ++i) shape->second();
  ::getppid();
  const client::Report report = run.finish();
  return report.recorded == kOperations + 1 && report.dropped.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}
