// All metrics at one moment: an immutable value that may cross threads. Formats are functions of it.
#pragma once

#include <metricsd/models/family.h>
#include <metricsd/models/shapes.h>
#include <metricsd/models/timestamp.h>

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace metricsd {

// One series as shape S shows it.
template <class S>
struct SeriesSnapshot {
  std::string_view key;  // its label values (labels.h), in the order of the family's label names
  Timestamp created;
  S shape;
};

template <class S>
using SeriesOf = std::vector<SeriesSnapshot<S>>;

struct FamilySnapshot {
  std::shared_ptr<const FamilySpec> spec;
  std::variant<SeriesOf<Scalar>, SeriesOf<Buckets>, SeriesOf<Quantiles>, SeriesOf<Info>>
      series;                               // ordered by key
  std::shared_ptr<const std::string> keys;  // the text of the series' keys lies here

  [[nodiscard]] std::size_t size() const {
    return std::visit([](const auto& list) { return list.size(); }, series);
  }
};

struct Snapshot {
  Timestamp taken;
  std::vector<FamilySnapshot> families;  // ordered by exposition name
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace metricsd
