// What is asked of one shard's state, or of what is durable of it: a copy that may cross threads.
#pragma once

#include "clients.h"
#include "ingest_totals.h"
#include "live_runs.h"

#include <metricsd/models/registry_image.h>

#include <cstddef>
#include <optional>
#include <vector>

namespace metricsd::server {

// What a report holds beside the totals and the heads of the runs: the larger parts, where they are asked
// for.
struct ReportParts {
  bool registry = false;
  bool run_statistics = false;
  bool clients = false;
};

// The registry's histograms are without exponential buckets.
struct ShardReport {
  IngestTotals totals;
  std::optional<RegistryImage> registry;
  LiveRuns live_runs;                 // heads alone, unless statistics were asked for
  std::vector<ClientReport> clients;  // at most limits::kStatusClients
  std::size_t known_clients = 0;
};

[[nodiscard]] ShardReport report_of(const IngestTotals& totals, const LiveRuns& live_runs,
                                    const Clients& clients, const ReportParts& parts,
                                    std::optional<RegistryImage> registry);

}  // namespace metricsd::server
