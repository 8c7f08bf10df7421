#include "replica.h"

#include <metricsd/models/limits.h>

namespace metricsd::server {

std::optional<LoadReport> Replica::load(std::string_view cut, Timestamp wall) {
  const std::scoped_lock lock(mutex_);
  return load_cut(cut, state(), wall);
}

void Replica::save(std::string& out, const Moment& now) {
  const std::scoped_lock lock(mutex_);
  save_cut(out, state(), Extent::whole, now);
}

ShardReport Replica::report(const ReportParts& parts) const {
  const std::scoped_lock lock(mutex_);
  return report_of(totals_, live_runs_, clients_, parts,
                   parts.registry ? std::optional(registry_.image(Detail::classic)) : std::nullopt);
}

}  // namespace metricsd::server
