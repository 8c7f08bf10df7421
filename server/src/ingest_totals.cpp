#include "ingest_totals.h"

#include <metricsd/models/decimal.h>
#include <metricsd/models/labels.h>
#include <metricsd/models/limits.h>

#include <array>
#include <optional>
#include <utility>

namespace metricsd::server {
namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kMostNames = 1000;

struct NamedTotal {
  std::string_view name;
  std::uint64_t IngestTotals::*number;
};
constexpr std::array kSaved{NamedTotal{"operations", &IngestTotals::operations},
                            NamedTotal{"acknowledged", &IngestTotals::acknowledged},
                            NamedTotal{"bytes", &IngestTotals::bytes},
                            NamedTotal{"unknown_fields", &IngestTotals::unknown_fields},
                            NamedTotal{"task_samples", &IngestTotals::task_samples},
                            NamedTotal{"task_samples_dropped", &IngestTotals::task_samples_dropped}};

// By the name that it has on the outside: numbers of an enum may change.
std::optional<Errc> reason_named(std::string_view name) {
  for (int code = 1; code <= static_cast<int>(Errc::timed_out); ++code) {
    if (reason(static_cast<Errc>(code)) == name) return static_cast<Errc>(code);
  }
  return std::nullopt;
}

}  // namespace

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
  task_samples += other.task_samples;
  task_samples_dropped += other.task_samples_dropped;
  connections += other.connections;
  for (const auto& [reason, count] : other.rejected) rejected[reason] += count;
  for (const auto& [sink, causes] : other.dropped) {
    for (const auto& [cause, count] : causes) add_dropped(dropped, sink, cause, count);
  }
}

void IngestTotals::save(StateWriter& out) const {
  out.u64(kSaved.size());
  for (const NamedTotal& total : kSaved) {
    out.text(total.name);
    out.u64(this->*total.number);
  }
  out.u64(rejected.size());
  for (const auto& [errc, count] : rejected) {
    out.text(reason(errc));
    out.u64(count);
  }
  save_drop_counts(out, dropped);
}

IngestTotals IngestTotals::load(StateReader& in) {
  IngestTotals totals;
  for (std::size_t left = in.count(kMostNames, 2); left > 0; --left) {
    const std::string_view name = in.text(kLongestName);
    const std::uint64_t value = in.u64();
    for (const NamedTotal& total : kSaved) {
      if (total.name == name) totals.*total.number = value;
    }
  }
  for (std::size_t left = in.count(kMostNames, 2); left > 0; --left) {
    const auto errc = reason_named(in.text(kLongestName));
    const std::uint64_t count = in.u64();
    if (errc) totals.rejected[*errc] = count;
  }
  totals.dropped = load_drop_counts(in);
  return totals;
}

void save_drop_counts(StateWriter& out, const DropCounts& counts) {
  out.u64(count_drop_pairs(counts));
  for (const auto& [sink, causes] : counts) {
    for (const auto& [cause, count] : causes) {
      out.text(sink);
      out.text(cause);
      out.u64(count);
    }
  }
}

DropCounts load_drop_counts(StateReader& in) {
  DropCounts counts;
  for (std::size_t left = in.count(kMostNames, 3); left > 0; --left) {
    const std::string sink(in.text(kLongestName));
    const std::string cause(in.text(kLongestName));
    add_dropped(counts, sink, cause, in.u64());
  }
  return counts;
}

std::uint64_t IngestTotals::rejected_in_all() const {
  std::uint64_t sum = 0;
  for (const auto& [reason, count] : rejected) sum += count;
  return sum;
}

}  // namespace metricsd::server
