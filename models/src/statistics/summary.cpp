#include <metricsd/models/decimal.h>
#include <metricsd/models/statistics/summary.h>

#include <limits>

namespace metricsd {

double Statistics::percentile(unsigned per_mille) const {
  for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
    if (kPercentiles[i].per_mille == per_mille) return percentiles[i];
  }
  return std::numeric_limits<double>::quiet_NaN();
}

std::optional<double> OperationCounts::success_rate() const {
  if (total == 0) return std::nullopt;
  return ratio(Uint128{successful} * 100, total);
}

}  // namespace metricsd
