// usage: metricsd_bench_scrape LABEL_SETS
//
// A scrape of the daemon's families as prometheus-cpp keeps them, each label set told of some operations:
// Collect and TextSerializer, the median of some, without HTTP: {"prometheus_ns", "bytes"}.

#include "bursts.h"
#include "operations.h"
#include "process.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <string>

namespace {

using namespace metricsd::measuring;

constexpr std::size_t kOperationsEach = 10;

void fill(PrometheusOperations& operations, std::size_t label_sets) {
  PlainOperation operation{.operation = {}, .workload = "s3", .driver = "boto", .error_code = {}};
  for (std::size_t i = 0; i < label_sets; ++i) {
    operation.operation = "operation-" + std::to_string(i);
    for (std::size_t n = 0; n < kOperationsEach; ++n) {
      operation.duration_seconds = 0.00005 * static_cast<double>(std::size_t{1} << n);
      operation.size_bytes = std::size_t{4096} << n;
      operations.fold(operation);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t label_sets = argc == 2 ? std::strtoul(argv[1], nullptr, 10) : 0;
  if (label_sets == 0) fail("usage: metricsd_bench_scrape LABEL_SETS");
  PrometheusOperations operations;
  fill(operations, label_sets);
  std::array<double, 3> ns{};
  std::size_t bytes = 0;
  for (double& taken : ns) {
    const Clock::time_point begin = Clock::now();
    bytes = operations.scrape().size();
    taken = std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
  }
  std::sort(ns.begin(), ns.end());
  print({{"prometheus_ns", ns[ns.size() / 2]}, {"bytes", bytes}});
}
