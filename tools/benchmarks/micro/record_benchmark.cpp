// What the workload's thread pays for one operation, in bursts that the ring can hold: a full ring would show
// the price of dropping instead.

#include <metricsd/client/collector.h>

#include <chrono>
#include <cstdint>
#include <thread>

#include <benchmark/benchmark.h>

namespace {

namespace client = metricsd::client;
using namespace std::chrono_literals;

client::RunOptions neither_files_nor_daemon() {
  client::RunOptions options;
  options.write_files = false;
  options.send_to_daemon = false;
  options.join_from_environment = false;
  options.ring_bytes = std::size_t{4} << 20;
  return options;
}

void record_with_three_texts(benchmark::State& state) {
  client::Collector run(neither_files_nor_daemon());
  const client::Operation operation{.operation_type = "upload",
                                    .duration = 1ms,
                                    .object_key = "bucket/object-000000042",
                                    .object_size_bytes = 1 << 20,
                                    .start = std::chrono::system_clock::now(),
                                    .user_id = "user-7"};
  constexpr std::uint64_t kBurst = 4096;
  std::uint64_t recorded = 0;
  for (auto _ : state) {
    run.record(operation);
    if (++recorded % kBurst == 0) {
      state.PauseTiming();
      std::this_thread::sleep_for(20ms);  // the drainer empties the ring
      state.ResumeTiming();
    }
  }
  state.counters["dropped"] = static_cast<double>(run.dropped());
}
BENCHMARK(record_with_three_texts)->Iterations(1 << 17);

}  // namespace
