// Statistics of one quantity, of any number of values.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/statistics/exact_selection.h>
#include <metricsd/models/statistics/summary.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace metricsd {

// Of nanoseconds, in milliseconds; nothing where there are none. `source` has no more than `at_most` values:
// so few may be held in memory instead of being read again. Of many no more than `in_memory` are held, save
// for tables of fixed size. Errors are those of the source.
[[nodiscard]] Result<std::optional<Statistics>> time_statistics(const ValueSource& source,
                                                                std::uint64_t at_most, std::size_t in_memory);

// The same of doubles >= 0, given as their bits.
[[nodiscard]] Result<std::optional<Statistics>> double_statistics(const ValueSource& source,
                                                                  std::uint64_t at_most,
                                                                  std::size_t in_memory);

}  // namespace metricsd
