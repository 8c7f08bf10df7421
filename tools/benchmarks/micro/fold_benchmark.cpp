// What it costs to count one operation that was read: in its series and in its run's live statistics.

#include "aggregator.h"

#include <metricsd/models/registry.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace {

using namespace metricsd;

// As many operations as come with one read of plain lines.
constexpr std::size_t kChunk = 200;

// Successes and failures of so many types, with durations and sizes as they come.
std::vector<OperationMetric> some_operations(std::size_t types) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> duration_ms(2, 1);
  std::vector<OperationMetric> operations(8 * kChunk);
  for (OperationMetric& operation : operations) {
    operation.operation_type = "operation-" + std::to_string(random() % types);
    operation.workload_type = "s3";
    operation.driver = "boto";
    operation.duration_ns = static_cast<std::int64_t>(duration_ms(random) * kNsPerMs);
    operation.object_size_bytes = std::uint64_t{1} << (random() % 24);
    operation.success = random() % 16 != 0;
    if (!operation.success) operation.error_code = "SlowDown";
  }
  return operations;
}

void fold_operation(benchmark::State& state) {
  const std::vector<OperationMetric> owned = some_operations(static_cast<std::size_t>(state.range(0)));
  const std::vector<OperationView> operations(owned.begin(), owned.end());
  server::Aggregator aggregator({}, std::make_shared<Catalog>(10'000), system_clock());
  const server::Sender sender(1);
  std::size_t next = 0;
  while (state.KeepRunningBatch(kChunk)) {
    aggregator.begin_chunk(0);
    for (std::size_t i = 0; i < kChunk; ++i) aggregator.apply(sender, operations[next + i], 0);
    aggregator.end_chunk();
    next = (next + kChunk) % operations.size();
  }
}
BENCHMARK(fold_operation)->Arg(1)->Arg(4)->Arg(64)->Arg(1000);

}  // namespace
