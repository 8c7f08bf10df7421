// What telling a daemon at once would cost the caller.

#include "live_reader.h"

#include <benchmark/benchmark.h>

namespace {

void send_300_bytes(benchmark::State& state) {
  metricsd::measuring::LiveReader reader;
  for (auto _ : state) {
    if (!reader.send_line()) state.SkipWithError("send() failed");
  }
}
BENCHMARK(send_300_bytes);

}  // namespace
