// Figures kept in a registry of our own: what a page of them is made of.
#pragma once

#include "metric_book.h"

#include <metricsd/models/clock.h>
#include <metricsd/models/registry.h>

#include <string>
#include <unordered_map>

namespace metricsd::tools {

class RegistryBook final : public MetricBook {
 public:
  // `clock` outlives it.
  RegistryBook(std::string metric_namespace, const Clock& clock);

  void add(const MetricFamily& counter, LabelSpan labels, double amount) override;
  void set(const MetricFamily& gauge, LabelSpan labels, double value) override;
  void observe(const MetricFamily& histogram, LabelSpan labels, double value) override;

  [[nodiscard]] Snapshot snapshot() const;

 private:
  template <class K>
  using Families = std::unordered_map<const MetricFamily*, Family<K>*>;  // null: not to be had

  // The state of these values, null where the family can not be defined.
  template <class K>
  K* find(Families<K>& families, const MetricFamily& family, LabelSpan labels);
  [[nodiscard]] Moment now() const { return {clock_.now(), clock_.monotonic_ns()}; }

  const std::string namespace_;
  const Clock& clock_;
  Registry registry_;
  Families<Counter> counters_;
  Families<Gauge> gauges_;
  Families<Histogram> histograms_;
};

}  // namespace metricsd::tools
