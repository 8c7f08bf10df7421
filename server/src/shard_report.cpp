#include "shard_report.h"

#include <metricsd/models/limits.h>

#include <utility>

namespace metricsd::server {

ShardReport report_of(const IngestTotals& totals, const LiveRuns& live_runs, const Clients& clients,
                      const ReportParts& parts, std::optional<RegistryImage> registry) {
  ShardReport report;
  report.totals = totals;
  report.registry = std::move(registry);
  report.known_clients = clients.size();
  if (parts.clients) clients.report(report.clients, limits::kStatusClients);
  report.live_runs = parts.run_statistics ? live_runs : live_runs.heads();
  return report;
}

}  // namespace metricsd::server
