// What it costs to write an operation as a line.

#include "operation_lines.h"

#include <metricsd/models/operation_json.h>

#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace {

void encode_lines_of_a_workload(benchmark::State& state) {
  const auto operations = operation_lines::operations_of_a_workload(1000);
  const std::vector<metricsd::OperationView> views(operations.begin(), operations.end());
  std::string lines;
  for (auto _ : state) {
    lines.clear();
    for (const metricsd::OperationView& operation : views) {
      metricsd::append_operation_json(lines, operation);
      lines += '\n';
    }
    benchmark::DoNotOptimize(lines.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(views.size()));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(lines.size()));
}
BENCHMARK(encode_lines_of_a_workload);

}  // namespace
