// A snapshot as prometheus-cpp collects it, for programs that already serve prometheus-cpp metrics: register
// one with their prometheus::Exposer and these series stand beside their own.
#pragma once

#include <metricsd/models/snapshot.h>

#include <functional>
#include <utility>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

namespace metricsd::exporters {

// Collect() may be called from any thread if `source` may.
class SnapshotCollectable : public prometheus::Collectable {
 public:
  // `source` gives the snapshot to show at each collection; never null.
  explicit SnapshotCollectable(std::function<SnapshotPtr()> source) : source_(std::move(source)) {}

  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  std::function<SnapshotPtr()> source_;
};

}  // namespace metricsd::exporters
