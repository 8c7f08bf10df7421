// What a scrape costs by its number of series.

#include <metricsd/exporters/prometheus_text.h>
#include <metricsd/models/registry.h>

#include <cstdint>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

namespace {

using namespace metricsd;

template <class K>
Snapshot snapshot_of(std::int64_t series) {
  Registry registry(std::make_shared<Catalog>(static_cast<std::size_t>(series)));
  FamilySpec spec;
  spec.base_name = "operation";
  spec.label_names = {"operation"};
  if (K::kKind == Kind::histogram) spec.bounds = default_duration_bounds();
  Family<K>& family = **registry.define<K>(spec);
  for (std::int64_t i = 0; i < series; ++i) {
    auto& state = family.at(LabelValues{"operation-" + std::to_string(i)}, {});
    if constexpr (K::kKind == Kind::histogram) {
      state.apply(0.001 * static_cast<double>(i % 1000));
    } else {
      state.apply(static_cast<std::uint64_t>(i));
    }
  }
  return registry.snapshot({});
}

template <class K>
void render(benchmark::State& state) {
  const Snapshot snapshot = snapshot_of<K>(state.range(0));
  std::string page;
  for (auto _ : state) {
    page.clear();
    exporters::render_prometheus_text(page, snapshot);
    benchmark::DoNotOptimize(page.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_TEMPLATE(render, Counter)->Arg(100)->Arg(10'000);
BENCHMARK_TEMPLATE(render, Histogram)->Arg(100)->Arg(10'000);

}  // namespace
