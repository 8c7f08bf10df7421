#include "cut.h"

#include "../running_clock.h"

#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>

namespace metricsd::server {

void save_cut(std::string& out, const ShardState& state, Extent extent, const Moment& now) {
  const bool whole = extent == Extent::whole;
  StateWriter writer(out);
  writer.i64(now.monotonic_ns);
  state.totals.save(writer);
  state.live_runs.save(writer, whole);
  whole ? state.clients.save_all(writer) : state.clients.save_changed(writer);
  whole ? state.registry.save_all(writer, now) : state.registry.save_changed(writer, now);
  if (state.tasks == nullptr) return;
  if (whole) out.reserve(out.size() + state.tasks->size().bytes);  // most of the cut: once, not by doubling
  if (whole || state.tasks->has_changed()) state.tasks->save(writer, whole);
}

std::optional<LoadReport> load_cut(std::string_view cut, const ShardState& state, Timestamp wall) {
  if (cut.empty()) return LoadReport{};
  StateReader reader(cut);
  const Moment then{wall, load_running_ns(reader)};
  state.totals = IngestTotals::load(reader);
  state.live_runs.load(reader);
  state.clients.load(reader);
  const auto loaded = state.registry.load(reader, then);
  if (!reader.at_end() && state.tasks != nullptr) state.tasks->load(reader);
  if (!loaded || reader.failed() || !reader.at_end()) return std::nullopt;
  return *loaded;
}

}  // namespace metricsd::server
