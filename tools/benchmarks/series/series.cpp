#include "series.h"

#include <metricsd/exporters/prometheus_text.h>

#include <array>
#include <cmath>
#include <string_view>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/text_serializer.h>

namespace metricsd::measuring {

namespace {

std::string operation_of(std::size_t series) {
  return "operation-" + std::to_string(1'000'000 + series);
}

const char* status_of(std::size_t series) {
  return series % 2 == 0 ? "success" : "failure";
}

// 50 us to 47 s, even over 19.9 powers of two: eight exponential buckets each, 160 in all.
double duration_of(std::size_t series, std::size_t observation) {
  const std::size_t place = (observation * 149 + series) % kObservations;
  return 0.00005 * std::exp2(static_cast<double>(place) * 19.9 / static_cast<double>(kObservations));
}

template <class K>
Family<K>& family_of(Registry& registry, const char* name) {
  FamilySpec spec;
  spec.base_name = name;
  spec.help = "Help.";
  spec.kind = K::kKind;
  spec.label_names = {"operation", "workload", "driver", "status"};
  if (K::kKind == Kind::histogram) spec.bounds = default_duration_bounds();
  return **registry.define<K>(spec);
}

template <class K>
K& series_of(Family<K>& family, std::size_t series) {
  const std::string operation = operation_of(series);
  const std::array<std::string_view, 4> labels{operation, "s3", "boto", status_of(series)};
  return family.at(labels, {{1}, 1});
}

prometheus::Labels labels_of(std::size_t series) {
  return {{"operation", operation_of(series)},
          {"workload", "s3"},
          {"driver", "boto"},
          {"status", status_of(series)}};
}

}  // namespace

OurSeries::OurSeries(What what, std::size_t count)
    : registry_(std::make_unique<Registry>(std::make_shared<Catalog>(count))) {
  if (what == What::counters) {
    auto& family = family_of<Counter>(*registry_, "operations");
    for (std::size_t i = 0; i < count; ++i) series_of(family, i).apply(std::uint64_t{i});
    return;
  }
  auto& family = family_of<Histogram>(*registry_, "operation_duration");
  for (std::size_t i = 0; i < count; ++i) {
    Histogram& histogram = series_of(family, i);
    for (std::size_t n = 0; n < kObservations; ++n) histogram.apply(duration_of(i, n));
  }
}

std::string OurSeries::scrape() const {
  std::string page;
  exporters::render_prometheus_text(page, registry_->image(Detail::classic).snapshot({}));
  return page;
}

PrometheusSeries::PrometheusSeries(What what, std::size_t count)
    : registry_(std::make_unique<prometheus::Registry>()) {
  if (what == What::counters) {
    add_counters(count);
  } else {
    add_histograms(count);
  }
}

void PrometheusSeries::add_counters(std::size_t count) {
  auto& family = prometheus::BuildCounter().Name("operations_total").Help("Help.").Register(*registry_);
  for (std::size_t i = 0; i < count; ++i) family.Add(labels_of(i)).Increment(static_cast<double>(i));
}

void PrometheusSeries::add_histograms(std::size_t count) {
  auto& family = prometheus::BuildHistogram().Name("operation_duration").Help("Help.").Register(*registry_);
  for (std::size_t i = 0; i < count; ++i) {
    prometheus::Histogram& histogram = family.Add(labels_of(i), default_duration_bounds());
    for (std::size_t n = 0; n < kObservations; ++n) histogram.Observe(duration_of(i, n));
  }
}

std::string PrometheusSeries::scrape() const {
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace metricsd::measuring
