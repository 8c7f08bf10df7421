#include "losses.h"

#include <numeric>
#include <string>

namespace metricsd::client {
namespace {

struct LossName {
  std::string_view sink;
  std::string_view cause;
};

// In the order of `enum class Loss`.
constexpr std::array<LossName, kLosses> kNames{{{"ring", "full"},
                                                {"ring", "no_memory"},
                                                {"record", "finished"},
                                                {"record", "no_run"},
                                                {"record", "invalid"},
                                                {"record", "late"},
                                                {"record", "no_memory"},
                                                {"jsonl", "disk_full"},
                                                {"jsonl", "io_error"},
                                                {"jsonl", "not_open"},
                                                {"socket", "no_daemon"},
                                                {"socket", "endpoint_untrusted"},
                                                {"socket", "queue_full"}}};

}  // namespace

DropCounts drop_counts(const LossTotals& totals, const LossTotals& base) {
  DropCounts counts;
  for (std::size_t i = 0; i < kLosses; ++i) {
    if (totals[i] == base[i]) continue;
    counts[std::string(kNames[i].sink)][std::string(kNames[i].cause)] = totals[i] - base[i];
  }
  return counts;
}

LossTotals LossLedger::totals() const noexcept {
  LossTotals totals{};
  for (std::size_t i = 0; i < kLosses; ++i) totals[i] = counts_[i].load(std::memory_order_relaxed);
  return totals;
}

std::uint64_t LossLedger::total() const noexcept {
  const LossTotals all = totals();
  return std::accumulate(all.begin(), all.end(), std::uint64_t{0});
}

std::uint64_t LossLedger::turned_away() const noexcept {
  return count(Loss::ring_full) + count(Loss::ring_no_memory) + count(Loss::record_finished) +
         count(Loss::record_no_run);
}

}  // namespace metricsd::client
