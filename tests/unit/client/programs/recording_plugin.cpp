// What a program opens at run time: a library that links libmetrics-client and records in threads of its own
// and of the program's.

#include <metricsd/client/collector.h>

#include <thread>
#include <vector>

namespace {

metricsd::client::Collector* g_run = nullptr;
metricsd::client::BoundOperation g_upload;

}  // namespace

extern "C" {

[[gnu::visibility("default")]] bool plugin_open(const char* directory) {
  metricsd::client::RunOptions options;
  options.export_dir = directory;
  options.exports = {};
  options.join_from_environment = false;
  options.send_to_daemon = false;
  g_run = new metricsd::client::Collector(options);
  g_upload = g_run->bind("upload");
  return static_cast<bool>(*g_run);
}

[[gnu::visibility("default")]] void plugin_record(int operations) {
  for (int i = 0; i < operations; ++i) {
    g_upload.record({.duration = std::chrono::milliseconds(1)});
    g_run->record({.operation_type = "download", .object_key = "k"});
  }
}

// Operations that did not reach the file.
[[gnu::visibility("default")]] unsigned long plugin_close(unsigned long expected) {
  const metricsd::client::Report report = g_run->finish();
  delete g_run;
  return report.recorded == expected ? report.dropped.size() : expected;
}
}
