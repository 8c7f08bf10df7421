#include "sliced_report.h"

#include <metricsd/models/timestamp.h>

#include <algorithm>
#include <cstddef>
#include <optional>

namespace metricsd::server {
namespace {

// A slice is a quarter of the time that senders had since the last one, so that copying comes to an end under
// any load.
constexpr std::int64_t kSliceNs = 1 * kNsPerMs;  // at least
constexpr std::int64_t kSliceShare = 4;
constexpr std::size_t kSliceStep = 32;  // series between two looks at the clock: some ten microseconds

}  // namespace

SlicedReport::SlicedReport(const ReportParts& parts, const Aggregator& aggregator, const Clock& clock)
    : parts_(parts),
      aggregator_(aggregator),
      clock_(clock),
      copier_(aggregator.registry(), Detail::classic) {}

bool SlicedReport::copy_slice() {
  if (!parts_.registry) return false;
  const std::int64_t start_ns = clock_.monotonic_ns();
  const std::int64_t senders_had_ns = paused_ns_ == 0 ? 0 : start_ns - paused_ns_;
  const std::int64_t end_ns = start_ns + std::max(kSliceNs, senders_had_ns / kSliceShare);
  while (copier_.copy(kSliceStep)) {
    paused_ns_ = clock_.monotonic_ns();
    if (paused_ns_ >= end_ns) return true;
  }
  return false;
}

void SlicedReport::finish() {
  promise_.set_value(report_of(aggregator_.totals(), aggregator_.live_runs(), aggregator_.clients(), parts_,
                               parts_.registry ? std::optional(copier_.take()) : std::nullopt));
}

}  // namespace metricsd::server
