// usage: metricsd_bench_memory counters|histograms SERIES
//
// What the series of this library and of prometheus-cpp weigh: {"ours_bytes", "prometheus_bytes"} a series,
// of all that they allocate and keep, with what the allocator rounds up.

#include "process.h"
#include "series.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string_view>

#include <malloc.h>

namespace {

std::atomic<std::int64_t> bytes_in_use{0};

void* counted(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  bytes_in_use += static_cast<std::int64_t>(malloc_usable_size(memory));
  return memory;
}

void release(void* memory) noexcept {
  bytes_in_use -= static_cast<std::int64_t>(malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(std::malloc(size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto to = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(to, (size + to - 1) / to * to));
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}

namespace {

using namespace metricsd::measuring;

template <class Side>
double bytes_a_series(What what, std::size_t count) {
  const std::int64_t before = bytes_in_use;
  const Side side(what, count);
  return static_cast<double>(bytes_in_use - before) / static_cast<double>(count);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view kind = argc == 3 ? argv[1] : "";
  if (kind != "counters" && kind != "histograms")
    fail("usage: metricsd_bench_memory counters|histograms SERIES");
  const What what = kind == "counters" ? What::counters : What::histograms;
  const std::size_t count = std::strtoul(argv[2], nullptr, 10);
  print({{"ours_bytes", bytes_a_series<OurSeries>(what, count)},
         {"prometheus_bytes", bytes_a_series<PrometheusSeries>(what, count)}});
}
