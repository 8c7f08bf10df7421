#include "ingest_totals.h"

#include <metricsd/models/decimal.h>
#include <metricsd/models/labels.h>
#include <metricsd/models/limits.h>

namespace metricsd::server {

bool has_drop_pair(const DropCounts& counts, const std::string& sink, const std::string& cause) {
  const auto causes = counts.find(sink);
  return causes != counts.end() && causes->second.contains(cause);
}

std::size_t count_drop_pairs(const DropCounts& counts) {
  std::size_t pairs = 0;
  for (const auto& [sink, causes] : counts) pairs += causes.size();
  return pairs;
}

void add_dropped(DropCounts& counts, std::string_view sink, std::string_view cause, std::uint64_t count) {
  std::string sink_name(sink);
  std::string cause_name(cause);
  if (!has_drop_pair(counts, sink_name, cause_name) && count_drop_pairs(counts) >= limits::kDropPairs) {
    sink_name = kOverflowLabel;
    cause_name = kOverflowLabel;
  }
  std::uint64_t& sum = counts[sink_name][cause_name];
  sum = saturated(Uint128{sum} + count);
}

void IngestTotals::merge(const IngestTotals& other) {
  operations += other.operations;
  acknowledged += other.acknowledged;
  bytes += other.bytes;
  unknown_fields += other.unknown_fields;
  connections += other.connections;
  for (const auto& [reason, count] : other.rejected) rejected[reason] += count;
  for (const auto& [sink, causes] : other.dropped) {
    for (const auto& [cause, count] : causes) add_dropped(dropped, sink, cause, count);
  }
}

std::uint64_t IngestTotals::rejected_in_all() const {
  std::uint64_t sum = 0;
  for (const auto& [reason, count] : rejected) sum += count;
  return sum;
}

}  // namespace metricsd::server
