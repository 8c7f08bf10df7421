// What it costs to read and check plain lines, from the bytes of the socket to an operation: by how the line
// is written, and by what varies from line to line.

#include "operation_lines.h"

#include <metricsd/ipc/decoder.h>

#include <cstdint>
#include <numeric>
#include <string>

#include <benchmark/benchmark.h>

namespace {

using metricsd::ipc::Decoder;

void decode(benchmark::State& state, const std::string& lines, std::int64_t count) {
  Decoder decoder;
  for (auto _ : state) {
    decoder.feed(lines);
    std::int64_t decoded = 0;
    while (decoder.next() == Decoder::Step::operation) {
      benchmark::DoNotOptimize(decoder.operation());
      ++decoded;
    }
    if (decoded != count) state.SkipWithError("not every line was taken");
  }
  state.SetItemsProcessed(state.iterations() * count);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(lines.size()));
}

// The same line again and again.
void decode_line(benchmark::State& state, const std::string& line) {
  std::string lines;
  for (int i = 0; i < 64; ++i) lines += line + "\n";
  decode(state, lines, 64);
}
BENCHMARK_CAPTURE(decode_line, all_fields, operation_lines::kAllFields);
BENCHMARK_CAPTURE(decode_line, all_fields_from_python, operation_lines::kAllFieldsFromPython);
BENCHMARK_CAPTURE(decode_line, few_fields, operation_lines::kFewFields);
BENCHMARK_CAPTURE(decode_line, with_an_escape, operation_lines::kWithAnEscape);

// As they come from a workload: no two alike.
void decode_lines_of_a_workload(benchmark::State& state) {
  constexpr std::int64_t kLines = 1000;
  decode(state, operation_lines::of_a_workload(kLines), kLines);
}
BENCHMARK(decode_lines_of_a_workload);

// The least that touching the same bytes costs.
void sum_the_bytes_of_those_lines(benchmark::State& state) {
  constexpr std::int64_t kLines = 1000;
  const std::string lines = operation_lines::of_a_workload(kLines);
  for (auto _ : state) benchmark::DoNotOptimize(std::accumulate(lines.begin(), lines.end(), 0U));
  state.SetItemsProcessed(state.iterations() * kLines);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(lines.size()));
}
BENCHMARK(sum_the_bytes_of_those_lines);

}  // namespace
