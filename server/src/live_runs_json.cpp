#include "live_runs_json.h"

#include <metricsd/models/json/writer.h>

#include <algorithm>
#include <vector>

namespace metricsd::server {
namespace {

void write_run(JsonWriter& json, const LiveRun& live) {
  json.begin_object()
      .field("test_run_id", live.run.test_run_id)
      .field("test_name", live.run.test_name)
      .field("scenario", live.run.scenario)
      .field("workload_type", live.run.workload_type)
      .field("driver", live.run.driver)
      .field("live", live.is_live())
      .field("connections", live.connections)
      .field("start_time", format_timestamp(live.run.start_time.value_or(live.first.wall)))
      .field("last_seen", format_timestamp(live.last.wall))
      .key("operations")
      .begin_object()
      .field("total", live.counts.total)
      .field("successful", live.counts.successful)
      .field("failed", live.counts.failed())
      .end_object()
      .end_object();
}

}  // namespace

void render_runs_json(std::string& out, const LiveRuns& runs) {
  std::vector<const LiveRun*> ordered;
  for (const auto& [id, run] : runs.runs()) ordered.push_back(&run);
  std::sort(ordered.begin(), ordered.end(),
            [](const LiveRun* a, const LiveRun* b) { return a->first.monotonic_ns < b->first.monotonic_ns; });

  JsonWriter json(out);
  json.begin_object().key("runs").begin_array();
  for (const LiveRun* run : ordered) write_run(json, *run);
  json.end_array().end_object();
}

}  // namespace metricsd::server
