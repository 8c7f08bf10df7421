// What one shard has taken in since it started: plain numbers, summed over the shards for the status and the
// scrape.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>
#include <metricsd/models/statistics/summary.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace metricsd::server {

struct IngestTotals {
  std::uint64_t operations = 0;
  std::uint64_t acknowledged = 0;  // of these, told their senders
  std::uint64_t bytes = 0;
  std::uint64_t unknown_fields = 0;
  std::uint64_t task_samples = 0;
  std::uint64_t task_samples_dropped = 0;  // of these, before their time, for want of room
  std::uint64_t connections = 0;           // open now
  std::map<Errc, std::uint64_t> rejected;
  DropCounts dropped;  // told by senders

  void merge(const IngestTotals& other);
  // Each number under its name, so that versions of the daemon may have more or fewer of them. Of connections
  // nothing is saved: they are none of a state's.
  void save(StateWriter& out) const;
  // The reader has failed where save() has not written it.
  [[nodiscard]] static IngestTotals load(StateReader& in);
  [[nodiscard]] std::uint64_t rejected_in_all() const;
};

[[nodiscard]] bool has_drop_pair(const DropCounts& counts, const std::string& sink, const std::string& cause);
[[nodiscard]] std::size_t count_drop_pairs(const DropCounts& counts);

void save_drop_counts(StateWriter& out, const DropCounts& counts);
[[nodiscard]] DropCounts load_drop_counts(StateReader& in);

// Adds to one pair, up to 2^64 - 1 of `counts`. Beyond limits::kDropPairs pairs, new ones go to
// `__overflow__`.
void add_dropped(DropCounts& counts, std::string_view sink, std::string_view cause, std::uint64_t count);

}  // namespace metricsd::server
