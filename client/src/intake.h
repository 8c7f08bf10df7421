// Where callers' threads and the drainer meet: what record() and set_users() write, and the drainer reads.
#pragma once

#include "losses.h"
#include "thread_rings.h"

#include <metricsd/client/collector.h>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace metricsd::client {

class Intake {
 public:
  Intake(std::size_t ring_bytes, std::uint64_t users);

  // Any thread; the promises of Collector::record().
  void record(const Operation& operation) noexcept;
  void set_users(std::uint64_t count) noexcept;

  // From now on record() only counts, as lost by `reason`: record_finished or record_no_run.
  void close(Loss reason) noexcept { closed_for_.store(reason, std::memory_order_relaxed); }
  [[nodiscard]] bool is_closed() const noexcept {
    return closed_for_.load(std::memory_order_relaxed) != kOpen;
  }

  // The writer has ended, having taken so many entries from the rings: whatever else is or comes there is
  // late.
  void end(std::uint64_t taken) noexcept;

  // One look at what record() was handed and what was lost of it: once the writer has ended, the rest is
  // written.
  struct Account {
    std::uint64_t recorded = 0;
    LossTotals lost{};
  };
  // Any thread; takes a lock.
  [[nodiscard]] Account account() const noexcept;

  // The wall clock's reading at a moment of the monotonic one: what saves a timer its second clock. Any
  // thread.
  [[nodiscard]] std::chrono::system_clock::time_point wall_time(
      std::chrono::steady_clock::time_point at) const noexcept;
  // Takes the difference of the two clocks anew, so that wall_time() follows an adjusted clock.
  void calibrate() noexcept;

  [[nodiscard]] std::uint64_t users() const noexcept { return users_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t most_users() const noexcept {
    return most_users_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] ThreadRings& rings() noexcept { return rings_; }
  [[nodiscard]] LossLedger& losses() noexcept { return losses_; }

 private:
  static constexpr Loss kOpen{kLosses};  // no reason to refuse

  ThreadRings rings_;
  LossLedger losses_;
  std::atomic<Loss> closed_for_{kOpen};
  // Entries of the rings that are taken or in the ledger as late; no bound while the writer lives.
  std::atomic<std::uint64_t> accounted_{UINT64_MAX};
  std::atomic<std::int64_t> wall_minus_steady_ns_{0};
  std::atomic<std::uint64_t> users_;
  std::atomic<std::uint64_t> most_users_;
};

}  // namespace metricsd::client
