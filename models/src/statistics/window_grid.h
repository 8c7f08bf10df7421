// The windows of a run: stretches of equal length from its start on, and before it, where operations began
// earlier.
#pragma once

#include "record_store.h"

#include <metricsd/models/errors.h>

#include <cstdint>
#include <functional>

namespace metricsd {

struct WindowGrid {
  std::int64_t origin_ns = 0;  // where window 0 begins
  std::int64_t length_ns = 1;  // at most kLongestWindowNs

  [[nodiscard]] std::int64_t index_of(std::int64_t moment_ns) const;
  [[nodiscard]] std::int64_t start_of(std::int64_t index) const;
};

// Room enough to double it without overflow; longer than any two moments of one run are apart.
inline constexpr std::int64_t kLongestWindowNs = std::int64_t{1} << 61;

// Calls `visit` with each stretch of a slice's rows that began in one window, in the order of windows. Rows
// without a start are left out.
using WindowVisitor = std::function<void(std::int64_t index, const Extent& rows)>;
[[nodiscard]] Result<> split_by_window(const RecordStore& store, const Extent& slice, const WindowGrid& grid,
                                       const WindowVisitor& visit);

// `grid` with its length doubled until no more windows with operations in them are left than
// limits::kWindows, and no more pairs of window and group than limits::kWindowRows.
[[nodiscard]] Result<WindowGrid> fit_windows(const RecordStore& store, const WindowGrid& grid);

}  // namespace metricsd
