// What the daemon pays to read and check one line.

#include "usual_line.h"

#include <metricsd/ipc/decoder.h>

#include <cstdint>

#include <benchmark/benchmark.h>

namespace {

using metricsd::ipc::Decoder;

void decode_usual_line(benchmark::State& state) {
  Decoder decoder;
  for (auto _ : state) {
    decoder.feed(kUsualLine);
    if (decoder.next() != Decoder::Step::operation) state.SkipWithError("the line was not taken");
    benchmark::DoNotOptimize(decoder.operation());
    benchmark::DoNotOptimize(decoder.next());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kUsualLine.size()));
}
BENCHMARK(decode_usual_line);

}  // namespace
