// Snapshots put together by hand, for what renders them.
#pragma once

#include <metricsd/models/labels.h>
#include <metricsd/models/snapshot.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace metricsd::exporters {

inline FamilySpec make_spec(Kind kind, std::string base_name, LabelNames label_names = {},
                            std::string unit = "") {
  FamilySpec spec;
  spec.kind = kind;
  spec.help = "Help of " + base_name + ".";
  spec.base_name = std::move(base_name);
  spec.label_names = std::move(label_names);
  spec.unit = std::move(unit);
  return spec;
}

template <class S>
struct HandmadeSeries {
  LabelValues labels;
  S shape;
};

template <class S>
HandmadeSeries<S> make_series(LabelValues labels, S shape) {
  return {std::move(labels), std::move(shape)};
}

template <class S>
FamilySnapshot make_family(FamilySpec spec, const std::vector<HandmadeSeries<S>>& series) {
  auto keys = std::make_shared<std::string>();
  std::vector<std::size_t> ends;
  for (const HandmadeSeries<S>& each : series) {
    append_series_key(*keys, std::vector<std::string_view>(each.labels.begin(), each.labels.end()));
    ends.push_back(keys->size());
  }
  SeriesOf<S> list;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < series.size(); begin = ends[i++]) {
    list.push_back({std::string_view(*keys).substr(begin, ends[i] - begin), {}, series[i].shape});
  }
  return {std::make_shared<const FamilySpec>(std::move(spec)), std::move(list), std::move(keys)};
}

template <class S>
FamilySnapshot make_family(FamilySpec spec, std::initializer_list<HandmadeSeries<S>> series) {
  return make_family(std::move(spec), std::vector<HandmadeSeries<S>>(series));
}

inline FamilySnapshot make_empty_family(FamilySpec spec) {
  return make_family<Scalar>(std::move(spec), std::vector<HandmadeSeries<Scalar>>());
}

// `counts` of each bucket alone, one more than bounds.
inline Buckets make_buckets(std::vector<double> bounds, std::vector<std::uint64_t> counts, double sum) {
  Buckets buckets;
  buckets.bounds = std::make_shared<const std::vector<double>>(std::move(bounds));
  for (const std::uint64_t count : counts) buckets.count += count;
  buckets.counts = std::move(counts);
  buckets.sum = sum;
  return buckets;
}

}  // namespace metricsd::exporters
