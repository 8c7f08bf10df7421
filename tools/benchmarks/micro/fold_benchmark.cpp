// What it costs to find a series and add to it.

#include <metricsd/models/registry.h>

#include <array>
#include <memory>
#include <string_view>

#include <benchmark/benchmark.h>

namespace {

using namespace metricsd;

template <class K>
Family<K>& family_of(Registry& registry) {
  FamilySpec spec;
  spec.base_name = "operation";
  spec.label_names = {"operation", "workload", "driver", "status"};
  if (K::kKind == Kind::histogram) spec.bounds = default_duration_bounds();
  return **registry.define<K>(spec);
}

constexpr std::array<std::string_view, 4> kLabels{"upload", "s3", "boto", "success"};

void fold_counter(benchmark::State& state) {
  Registry registry(std::make_shared<Catalog>(100));
  Family<Counter>& family = family_of<Counter>(registry);
  for (auto _ : state) family.at(kLabels, {}).apply(std::uint64_t{1});
}
BENCHMARK(fold_counter);

void fold_histogram(benchmark::State& state) {
  Registry registry(std::make_shared<Catalog>(100));
  Family<Histogram>& family = family_of<Histogram>(registry);
  double value = 0.0001;
  for (auto _ : state) {
    family.at(kLabels, {}).apply(value);
    value = value < 10 ? value * 1.01 : 0.0001;
  }
}
BENCHMARK(fold_histogram);

}  // namespace
