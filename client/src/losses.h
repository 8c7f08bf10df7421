// What was lost, by sink and cause, counted in operations.
#pragma once

#include <metricsd/ipc/segment_layout.h>
#include <metricsd/models/drop_counts.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace metricsd::client {

enum class Loss : std::size_t {
  // Never in a ring: these, with what the rings took, are all that record() was handed.
  ring_full,
  ring_no_memory,
  record_finished,  // record() after finish()
  record_no_run,    // the run could not be opened
  // Taken, and lost on the way.
  record_invalid,
  record_late,       // came into its ring while finish() was ending
  record_no_memory,  // the writer could not allocate
  jsonl_disk_full,
  jsonl_io_error,
  jsonl_not_open,
  socket_no_daemon,
  socket_untrusted,   // somebody else's daemon answers
  socket_queue_full,  // a daemon that is connected does not read, or keep, it as fast
  socket_expired,     // the daemon has forgotten this client, and so whether it counted them
};
inline constexpr std::size_t kLosses = static_cast<std::size_t>(Loss::socket_expired) + 1;
using LossTotals = std::array<std::uint64_t, kLosses>;

struct LossCount {
  Loss loss{};
  std::uint64_t operations = 0;
};

// `totals` less `base`, as the files and the heartbeat name them; what is 0 is left out.
[[nodiscard]] DropCounts drop_counts(const LossTotals& totals, const LossTotals& base = {});

// Of all causes; an operation that two sinks lost counts twice.
[[nodiscard]] std::uint64_t total(const LossTotals& totals) noexcept;
// What record() itself turned away.
[[nodiscard]] std::uint64_t turned_away(const LossTotals& totals) noexcept;

// Any thread.
class LossLedger {
 public:
  LossLedger() noexcept : LossLedger(own_) {}
  // Keeps the counts, and what they are called, in `header`, which must outlive it: there they outlive the
  // process.
  explicit LossLedger(ipc::SegmentHeader& header) noexcept;
  LossLedger(const LossLedger&) = delete;
  LossLedger& operator=(const LossLedger&) = delete;

  void add(Loss loss, std::uint64_t operations) noexcept {
    counts_[static_cast<std::size_t>(loss)].operations.fetch_add(operations, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t count(Loss loss) const noexcept {
    return counts_[static_cast<std::size_t>(loss)].operations.load(std::memory_order_relaxed);
  }
  [[nodiscard]] LossTotals totals() const noexcept;

  // Says in `marks` what those of `counts` that are not 0 were before: for who counts them only once it has
  // said so (ipc/segment_layout.h). Whether there are any.
  bool mark(std::span<const LossCount> counts, std::span<ipc::SegmentLossMark> marks) const noexcept;

 private:
  explicit LossLedger(std::array<ipc::SegmentLoss, kLosses>& counts) noexcept : counts_(counts.data()) {}

  std::array<ipc::SegmentLoss, kLosses> own_{};  // where there is no segment
  ipc::SegmentLoss* counts_;
};

}  // namespace metricsd::client
