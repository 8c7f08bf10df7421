// objectbench: the sample workload. N processes of M users put, get and delete objects over HTTP; all of them
// are one run of libmetrics-client, in one directory.
//
// The order matters: everything that forks (the object store, the workers) comes before the collector, whose
// writer is the program's first thread.

#include "object_store_process.h"
#include "options.h"
#include "progress_line.h"
#include "run_options.h"
#include "shared_progress.h"
#include "worker.h"

#include <metricsd/client/collector.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include <unistd.h>

namespace metricsd::tools {

namespace {

constexpr std::chrono::milliseconds kLookInterval{50};

void complain(const std::string& line) {
  std::fprintf(stderr, "objectbench: %s\n", line.c_str());
}

void wait_for_workers(Workers& workers, const SharedProgress& progress, bool quiet) {
  ProgressLine line(!quiet);
  while (workers.any_left()) {
    line.update(progress);
    std::this_thread::sleep_for(kLookInterval);
  }
}

void print_report(const client::Report& report, bool quiet) {
  for (const std::string& warning : report.warnings) complain("warning: " + warning);
  for (const std::string& problem : report.problems) complain(problem);
  if (quiet) return;
  std::fputs(report.table(::isatty(STDOUT_FILENO) != 0).c_str(), stdout);
  std::printf("files: %s\n", report.directory.c_str());
}

int bench(BenchOptions options) {
  const auto store = options.url ? std::optional<ObjectStoreProcess>()
                                 : ObjectStoreProcess::start(options.processes * options.users);
  if (!options.url) {
    if (!store) return 1;
    options.url = store->url();
  }
  SharedProgress* const progress = map_shared_progress();
  if (progress == nullptr) {
    complain("no shared memory");
    return 1;
  }
  stop_on_signals(*progress);
  Workers workers(options, *progress);

  // The parent opens the run, has no users of its own and is the last to leave.
  client::Collector run(run_options(options, 0));
  if (!run) {
    complain(run.error());
    return 1;
  }
  workers.begin(run.directory());
  wait_for_workers(workers, *progress, options.quiet);
  const client::Report report = run.finish();
  for (const std::string& problem : workers.problems()) complain(problem);
  print_report(report, options.quiet);

  const bool any_success = progress->operations.load() > progress->failures.load();
  if (!any_success) complain("no operation succeeded");
  return any_success && report.problems.empty() && workers.problems().empty() ? 0 : 1;
}

}  // namespace

}  // namespace metricsd::tools

int main(int argc, char** argv) {
  using namespace metricsd::tools;
  std::signal(SIGPIPE, SIG_IGN);  // a server that closes a connection is a failed operation
  auto options = parse_options(argc, argv);
  if (const int* exit_code = std::get_if<int>(&options)) return *exit_code;
  return bench(std::move(std::get<BenchOptions>(options)));
}
