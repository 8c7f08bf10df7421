// Snapshots put together by hand, for what renders them.
#pragma once

#include <metricsd/models/snapshot.h>

#include <cstdint>
#include <memory>
#include <string>
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

inline SeriesSnapshot make_series(LabelValues labels, Shape shape) {
  return {std::make_shared<const LabelValues>(std::move(labels)), {}, std::move(shape)};
}

inline FamilySnapshot make_family(FamilySpec spec, std::vector<SeriesSnapshot> series) {
  return {std::make_shared<const FamilySpec>(std::move(spec)), std::move(series)};
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
