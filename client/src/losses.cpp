#include "losses.h"

#include <algorithm>
#include <numeric>
#include <string>

namespace metricsd::client {
namespace {

struct LossName {
  Loss loss;
  std::string_view sink;
  std::string_view cause;
};

constexpr std::array<LossName, kLosses> kNames{{
    {Loss::ring_full, "ring", "full"},
    {Loss::ring_no_memory, "ring", "no_memory"},
    {Loss::record_finished, "record", "finished"},
    {Loss::record_no_run, "record", "no_run"},
    {Loss::record_invalid, "record", "invalid"},
    {Loss::record_late, "record", "late"},
    {Loss::record_no_memory, "record", "no_memory"},
    {Loss::jsonl_disk_full, "jsonl", "disk_full"},
    {Loss::jsonl_io_error, "jsonl", "io_error"},
    {Loss::jsonl_not_open, "jsonl", "not_open"},
    {Loss::socket_no_daemon, "socket", "no_daemon"},
    {Loss::socket_untrusted, "socket", "endpoint_untrusted"},
    {Loss::socket_queue_full, "socket", "queue_full"},
    {Loss::socket_expired, "socket", "expired"},
}};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kLosses; ++i) {
    if (kNames[i].loss != Loss{i}) return false;
  }
  return true;
}
static_assert(is_in_order(), "kNames is indexed by Loss");
static_assert(kLosses <= ipc::kSegmentLosses);

}  // namespace

DropCounts drop_counts(const LossTotals& totals, const LossTotals& base) {
  DropCounts counts;
  for (std::size_t i = 0; i < kLosses; ++i) {
    if (totals[i] == base[i]) continue;
    counts[std::string(kNames[i].sink)][std::string(kNames[i].cause)] = totals[i] - base[i];
  }
  return counts;
}

std::uint64_t total(const LossTotals& totals) noexcept {
  return std::accumulate(totals.begin(), totals.end(), std::uint64_t{0});
}

std::uint64_t turned_away(const LossTotals& totals) noexcept {
  const auto of = [&totals](Loss loss) { return totals[static_cast<std::size_t>(loss)]; };
  return of(Loss::ring_full) + of(Loss::ring_no_memory) + of(Loss::record_finished) + of(Loss::record_no_run);
}

LossLedger::LossLedger(ipc::SegmentHeader& header) noexcept : counts_(header.losses) {
  for (std::size_t i = 0; i < kLosses; ++i) {
    kNames[i].sink.copy(counts_[i].sink, sizeof counts_[i].sink);
    kNames[i].cause.copy(counts_[i].cause, sizeof counts_[i].cause);
  }
  header.losses_used = kLosses;
}

LossTotals LossLedger::totals() const noexcept {
  LossTotals totals{};
  for (std::size_t i = 0; i < kLosses; ++i) totals[i] = count(Loss{i});
  return totals;
}

bool LossLedger::mark(std::span<const LossCount> counts,
                      std::span<ipc::SegmentLossMark> marks) const noexcept {
  std::fill(marks.begin(), marks.end(),
            ipc::SegmentLossMark{.loss = ipc::kNoLoss, .reserved = 0, .operations = 0});
  std::size_t used = 0;
  for (const LossCount& each : counts) {
    if (each.operations == 0) continue;
    marks[used++] = {
        .loss = static_cast<std::uint32_t>(each.loss), .reserved = 0, .operations = count(each.loss)};
  }
  return used != 0;
}

}  // namespace metricsd::client
