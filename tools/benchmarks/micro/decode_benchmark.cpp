// What the daemon pays to read and check one plain line.

#include <metricsd/ipc/decoder.h>

#include <cstdint>
#include <string>

#include <benchmark/benchmark.h>

namespace {

using metricsd::ipc::Decoder;

void decode_plain_line(benchmark::State& state) {
  const std::string line =
      R"({"operation_id":"0f3a9c1122334455-1-42","timestamp_start":"2026-01-31T23:59:59.123456Z",)"
      R"("timestamp_end":"2026-01-31T23:59:59.235956Z","operation_type":"upload","workload_type":"s3",)"
      R"("object_key":"bucket/object-000000042","object_size_bytes":1048576,"duration_ms":112.5,)"
      R"("throughput_mbps":8.88888888888889,"success":true,"driver":"boto","user_id":"user-7"})"
      "\n";
  Decoder decoder;
  for (auto _ : state) {
    decoder.feed(line);
    if (decoder.next() != Decoder::Step::operation) state.SkipWithError("the line was not taken");
    benchmark::DoNotOptimize(decoder.operation());
    benchmark::DoNotOptimize(decoder.next());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}
BENCHMARK(decode_plain_line);

}  // namespace
