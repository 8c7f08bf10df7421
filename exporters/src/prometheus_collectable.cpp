#include "prometheus_family.h"

#include <metricsd/exporters/prometheus_collectable.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace metricsd::exporters {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

MetricType metric_type(ExpositionType type) {
  switch (type) {
    case ExpositionType::counter: return MetricType::Counter;
    case ExpositionType::gauge: return MetricType::Gauge;
    case ExpositionType::histogram: return MetricType::Histogram;
    case ExpositionType::summary: return MetricType::Summary;
  }
  return MetricType::Untyped;
}

std::vector<ClientMetric::Label> to_labels(const LabelNames& names, std::string_view key) {
  std::vector<ClientMetric::Label> labels;
  labels.reserve(names.size());
  for (const std::string& name : names) labels.push_back({name, std::string(take_value(key))});
  return labels;
}

// Fills in the one member of a ClientMetric that its family's type reads.
class ShapeWriter {
 public:
  ShapeWriter(ClientMetric& metric, MetricType type) : metric_(metric), type_(type) {}

  void operator()(const Scalar& scalar) const {
    if (type_ == MetricType::Counter) {
      metric_.counter.value = scalar.value;
    } else {
      metric_.gauge.value = scalar.value;
    }
  }

  void operator()(const Info&) const { metric_.gauge.value = 1; }

  void operator()(const Buckets& buckets) const {
    prometheus::ClientMetric::Histogram& histogram = metric_.histogram;
    histogram.sample_count = buckets.count;
    histogram.sample_sum = buckets.sum;
    histogram.bucket.reserve(buckets.counts.size());
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < buckets.counts.size(); ++i) {
      cumulative += buckets.counts[i];
      const bool last = i == buckets.bounds->size();
      histogram.bucket.push_back(
          {cumulative, last ? std::numeric_limits<double>::infinity() : (*buckets.bounds)[i]});
    }
  }

  void operator()(const Quantiles& quantiles) const {
    metric_.summary.sample_count = quantiles.count;
    metric_.summary.sample_sum = quantiles.sum;
    for (const auto& [quantile, value] : quantiles.values)
      metric_.summary.quantile.push_back({quantile, value});
  }

 private:
  ClientMetric& metric_;
  MetricType type_;
};

prometheus::MetricFamily to_metric_family(const FamilySnapshot& family) {
  prometheus::MetricFamily result;
  result.name = exposed_name(family);
  result.help = family.spec->help;
  result.type = metric_type(exposition_type(family));
  result.metric.reserve(family.size());
  std::visit(
      [&](const auto& list) {
        for (const auto& series : list) {
          ClientMetric& metric = result.metric.emplace_back();
          metric.label = to_labels(family.spec->label_names, series.key);
          ShapeWriter(metric, result.type)(series.shape);
        }
      },
      family.series);
  return result;
}

}  // namespace

std::vector<prometheus::MetricFamily> SnapshotCollectable::Collect() const {
  const SnapshotPtr snapshot = source_();
  std::vector<prometheus::MetricFamily> families;
  families.reserve(snapshot->families.size());
  for (const FamilySnapshot& family : snapshot->families) {
    if (family.size() > 0) families.push_back(to_metric_family(family));
  }
  return families;
}

}  // namespace metricsd::exporters
