// What the daemon says of itself: metricsd_*, process_* and the runs that are going on, in a registry like
// everyone's.
#pragma once

#include "checkpoint/checkpointer.h"
#include "ingest_totals.h"
#include "live_runs.h"
#include "process_figures.h"
#include "tasks/task_history.h"

#include <metricsd/models/registry.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::server {

struct SelfFigures {
  std::string metrics_namespace;
  std::string_view version;
  IngestTotals totals;
  std::vector<Run> live_runs;
  TaskHistory::Size tasks;
  std::size_t series = 0;
  std::uint64_t overflowed = 0;
  std::optional<double> last_scrape_seconds;  // nothing before the first scrape
  std::optional<ProcessFigures> process;
  std::optional<CheckpointFigures> checkpoint;  // nothing where none are made
};

// A registry of these alone, with a catalog of its own: made anew for each scrape, so that what is gone (a
// run, say) holds no place among the series.
[[nodiscard]] Registry self_metrics(const SelfFigures& figures, const Moment& now);

}  // namespace metricsd::server
