// usage: metricsd_bench_client SOCKET OPERATIONS
//
// CPU time of a process that records, all of its threads, the run's JSONL written below the working directory
// and a daemon fed; and of one send() of 300 bytes to a reader that reads: {"operation_ns", "send_ns",
// "recorded", "dropped"}.

#include "live_reader.h"
#include "process.h"

#include <metricsd/client/collector.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <thread>

namespace {

namespace client = metricsd::client;
using namespace metricsd::measuring;
using namespace std::chrono_literals;

constexpr std::uint64_t kBurstOfOperations = 2048;  // long enough for the sleep behind it to cost nothing
constexpr auto kSleep = 6ms;
constexpr auto kUntilAllIsSent = 500ms;  // the drainer comes every 20 ms at the latest

void record(client::Collector& run, std::uint64_t operations) {
  const client::Operation operation{.operation_type = "upload",
                                    .duration = 1ms,
                                    .object_key = "bucket/object-000000042",
                                    .object_size_bytes = 1 << 20,
                                    .start = std::chrono::system_clock::now(),
                                    .user_id = "user-7"};
  for (std::uint64_t done = 0; done < operations; ++done) {
    if (done % kBurstOfOperations == 0) std::this_thread::sleep_for(kSleep);
    run.record(operation);
  }
}

// Nanoseconds of CPU an operation.
double measure_operations(client::Collector& run, std::uint64_t operations) {
  const std::int64_t before = process_cpu_ns();
  record(run, operations);
  std::this_thread::sleep_for(kUntilAllIsSent);
  return static_cast<double>(process_cpu_ns() - before) / static_cast<double>(operations);
}

// Nanoseconds of the sender's CPU a send().
double measure_sends() {
  constexpr int kSends = 200'000;
  LiveReader reader;
  const double ns = cpu_ns_of([&] {
    for (int i = 0; i < kSends; ++i) {
      if (!reader.send_line()) fail("send() failed");
    }
  });
  return ns / kSends;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t operations = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (operations == 0) fail("usage: metricsd_bench_client SOCKET OPERATIONS");

  client::RunOptions options;
  options.socket = argv[1];
  options.exports = {"jsonl"};
  options.join_from_environment = false;
  client::Collector run(options);
  if (!run) fail(run.error());
  record(run, 10 * kBurstOfOperations);  // connects, warms up
  const double operation_ns = measure_operations(run, operations);
  const double send_ns = measure_sends();
  print({{"operation_ns", operation_ns},
         {"send_ns", send_ns},
         {"recorded", run.recorded()},
         {"dropped", run.dropped()}});
  std::quick_exit(EXIT_SUCCESS);  // the statistics at the end of a run are not what is measured here
}
