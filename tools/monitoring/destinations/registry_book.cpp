#include "registry_book.h"

#include <metricsd/models/limits.h>

#include <memory>
#include <utility>

namespace metricsd::tools {

namespace {

constexpr Gauge::Owner kOwner = 1;  // there is but one

FamilySpec spec_of(const MetricFamily& family, std::string_view metric_namespace) {
  FamilySpec spec;
  spec.base_name = base_name_of(family.name_in(metric_namespace), family.kind, family.unit);
  spec.unit = family.unit;
  spec.help = family.help;
  spec.kind = family.kind;
  spec.label_names.assign(family.labels.begin(),
                          family.labels.begin() + static_cast<std::ptrdiff_t>(family.label_count()));
  spec.merge = family.merge;
  if (family.kind == Kind::histogram) spec.bounds.assign(kCollectionBounds.begin(), kCollectionBounds.end());
  return spec;
}

}  // namespace

RegistryBook::RegistryBook(std::string metric_namespace, const Clock& clock)
    : namespace_(std::move(metric_namespace)),
      clock_(clock),
      registry_(std::make_shared<Catalog>(limits::kSeriesPerFamily)) {}

template <class K>
K* RegistryBook::find(Families<K>& families, const MetricFamily& family, LabelSpan labels) {
  auto found = families.find(&family);
  if (found == families.end()) {
    const auto defined = registry_.define<K>(spec_of(family, namespace_));
    found = families.emplace(&family, defined ? *defined : nullptr).first;
  }
  return found->second == nullptr ? nullptr : &found->second->at(labels, now());
}

void RegistryBook::add(const MetricFamily& counter, LabelSpan labels, double amount) {
  if (Counter* const state = find(counters_, counter, labels)) state->apply(amount);
}

void RegistryBook::set(const MetricFamily& gauge, LabelSpan labels, double value) {
  if (Gauge* const state = find(gauges_, gauge, labels)) state->apply(kOwner, value, clock_.monotonic_ns());
}

void RegistryBook::observe(const MetricFamily& histogram, LabelSpan labels, double value) {
  if (Histogram* const state = find(histograms_, histogram, labels)) state->apply(value);
}

Snapshot RegistryBook::snapshot() const {
  return registry_.image(Detail::classic).snapshot(clock_.now());
}

}  // namespace metricsd::tools
