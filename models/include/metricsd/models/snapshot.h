// All metrics at one moment: an immutable value that may cross threads. Formats are functions of it.
#pragma once

#include <metricsd/models/family.h>
#include <metricsd/models/shapes.h>
#include <metricsd/models/timestamp.h>

#include <memory>
#include <vector>

namespace metricsd {

struct SeriesSnapshot {
  std::shared_ptr<const LabelValues> labels;  // in the order of the family's label names
  Timestamp created;
  Shape shape;
};

struct FamilySnapshot {
  std::shared_ptr<const FamilySpec> spec;
  std::vector<SeriesSnapshot> series;  // ordered by label values
};

struct Snapshot {
  Timestamp taken;
  std::vector<FamilySnapshot> families;  // ordered by exposition name
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace metricsd
