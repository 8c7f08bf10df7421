// The closed set of shapes: all that a format knows of a metric. A new kind shows itself as one of these.
#pragma once

#include <metricsd/models/labels.h>
#include <metricsd/models/statistics/exponential_histogram.h>
#include <metricsd/models/timestamp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace metricsd {

// One number: a counter's or a gauge's.
struct Scalar {
  double value = 0;
};

// One observation that stands for its bucket (OpenMetrics 1.0, "Exemplars").
struct Exemplar {
  LabelNames label_names;
  LabelValues label_values;
  double value = 0;
  Timestamp at;
};

// A histogram: classic buckets by upper bound, and exponential ones beside them.
struct Buckets {
  std::shared_ptr<const std::vector<double>> bounds;  // ascending, without +Inf
  std::vector<std::uint64_t> counts;                  // of each bucket alone; one more than bounds
  std::uint64_t count = 0;
  double sum = 0;
  ExponentialHistogram exponential;                // empty where the image left it out
  std::vector<std::optional<Exemplar>> exemplars;  // empty, or one slot a classic bucket
};

// Quantiles that were computed where the values were seen.
struct Quantiles {
  std::vector<std::pair<double, double>> values;  // (quantile in 0..1, value), ascending
  std::uint64_t count = 0;
  double sum = 0;
};

// A fact in labels; its value is always 1.
struct Info {};

using Shape = std::variant<Scalar, Buckets, Quantiles, Info>;

}  // namespace metricsd
