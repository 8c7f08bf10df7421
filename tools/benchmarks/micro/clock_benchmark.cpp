// What everything else is measured against: one reading of the monotonic clock.

#include <chrono>

#include <benchmark/benchmark.h>

namespace {

void read_clock(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(std::chrono::steady_clock::now());
}
BENCHMARK(read_clock);

}  // namespace
