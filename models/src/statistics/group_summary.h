// The statistics of one group of a RecordStore's rows.
#pragma once

#include "record_store.h"

#include <metricsd/models/errors.h>
#include <metricsd/models/statistics/summary.h>

#include <cstddef>
#include <vector>

namespace metricsd {

// What belongs to a group, wherever it lies.
struct GroupRows {
  std::vector<Extent> successful;
  std::vector<Extent> failed;

  void add(bool success, const Extent& extent) { (success ? successful : failed).push_back(extent); }
};

// `seconds` is the time over which the group's rate is taken. At most `in_memory` values of a column are held
// at once. Errors are those of reading the store.
[[nodiscard]] Result<GroupSummary> summarize(const RecordStore& store, const GroupRows& rows, double seconds,
                                             std::size_t in_memory);

}  // namespace metricsd
