#include "client_book.h"

#include <metricsd/models/labels.h>

namespace metricsd::tools {

namespace {

client::MetricLabels labels_of(const MetricFamily& family, LabelSpan values) {
  client::MetricLabels labels;
  for (std::size_t i = 0; i < values.size(); ++i) labels.emplace(family.labels[i], values[i]);
  return labels;
}

client::GaugeMerge merge_of(Merge merge) {
  switch (merge) {
    case Merge::sum: return client::GaugeMerge::sum;
    case Merge::min: return client::GaugeMerge::min;
    case Merge::max: return client::GaugeMerge::max;
    case Merge::last: return client::GaugeMerge::last;
  }
  return client::GaugeMerge::sum;
}

}  // namespace

template <class Handle, class Make>
Handle& ClientBook::find(Handles<Handle>& handles, const MetricFamily& family, LabelSpan labels,
                         const Make& make) {
  key_.clear();
  append_series_key(key_, labels);
  auto& of_family = handles[&family];
  const auto found = of_family.find(key_);
  if (found != of_family.end()) return found->second;
  return of_family.emplace(key_, make()).first->second;
}

void ClientBook::add(const MetricFamily& counter, LabelSpan labels, double amount) {
  find(counters_, counter, labels, [&] {
    return run_.counter({.name = counter.name_in(namespace_),
                         .help = std::string(counter.help),
                         .unit = std::string(counter.unit),
                         .labels = labels_of(counter, labels)});
  }).add(amount);
}

void ClientBook::set(const MetricFamily& gauge, LabelSpan labels, double value) {
  find(gauges_, gauge, labels, [&] {
    return run_.gauge({.name = gauge.name_in(namespace_),
                       .help = std::string(gauge.help),
                       .unit = std::string(gauge.unit),
                       .labels = labels_of(gauge, labels),
                       .merge = merge_of(gauge.merge)});
  }).set(value);
}

void ClientBook::observe(const MetricFamily& histogram, LabelSpan labels, double value) {
  find(histograms_, histogram, labels, [&] {
    return run_.histogram({.name = histogram.name_in(namespace_),
                           .help = std::string(histogram.help),
                           .unit = std::string(histogram.unit),
                           .labels = labels_of(histogram, labels),
                           .bounds = {kCollectionBounds.begin(), kCollectionBounds.end()}});
  }).observe(value);
}

}  // namespace metricsd::tools
