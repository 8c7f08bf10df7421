// Where callers' threads and the drainer meet: what record() and set_users() write, and the drainer reads.
#pragma once

#include "gate.h"
#include "handles.h"
#include "losses.h"
#include "segment.h"
#include "thread_rings.h"

#include <metricsd/client/collector.h>
#include <metricsd/models/limits.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace metricsd::client {

struct IntakeOptions {
  std::size_t ring_bytes = 0;
  std::chrono::nanoseconds full_ring_wait{0};
  std::uint64_t users = 0;
  std::size_t most_rings = limits::kMetricsStream;
  std::vector<std::filesystem::path> segment_directories{};
};

class Intake {
 public:
  // Throws std::bad_alloc.
  Intake(std::string_view client_id, const IntakeOptions& options);

  // What record.h begins with. Any thread.
  [[nodiscard]] const Gate& gate() noexcept { return gate_page_.gate(); }
  // The calling thread's ring of the gate's collector where t_cached_ring does not have it; null where there
  // is none for it, which is counted.
  [[nodiscard]] static Ring* find_ring(const Gate& gate) noexcept;
  // Room in the calling thread's ring; null where there is none, which is counted.
  [[nodiscard]] static std::byte* reserve(const Gate& gate, Ring& ring, std::size_t size) noexcept {
    std::byte* room = ring.reserve(size);
    return room != nullptr ? room : wait_for_room(gate, ring, size);
  }

  void set_users(std::uint64_t count) noexcept;

  // From now on record() only counts, as lost by `reason`: record_finished or record_no_run.
  void close(Loss reason) noexcept;
  [[nodiscard]] bool is_closed() const noexcept {
    return closed_for_.load(std::memory_order_relaxed) != kOpen;
  }
  // This is a forked child's copy.
  [[nodiscard]] bool is_inherited() noexcept;

  // The writer has ended, with these rings as it knows them: whatever else is or comes in any is late.
  void end(const std::vector<ThreadRings::SlotPtr>& drained) noexcept;

  // One look at what record() was handed and what was lost of it: once the writer has ended, the rest is
  // written.
  struct Account {
    std::uint64_t recorded = 0;
    LossTotals lost{};
  };
  // Any thread; takes a lock.
  [[nodiscard]] Account account() const noexcept;

  [[nodiscard]] std::uint64_t users() const noexcept { return users_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t most_users() const noexcept {
    return most_users_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] Segment& segment() noexcept { return segment_; }
  [[nodiscard]] Handles& handles() noexcept { return handles_; }
  [[nodiscard]] ThreadRings& rings() noexcept { return rings_; }
  [[nodiscard]] LossLedger& losses() noexcept { return losses_; }

 private:
  static constexpr Loss kOpen{kLosses};  // no reason to refuse

  [[nodiscard]] static std::byte* wait_for_room(const Gate& gate, Ring& ring, std::size_t size) noexcept;

  [[nodiscard]] std::byte* wait(Ring& ring, std::size_t size) const noexcept;

  const std::uint64_t generation_;
  Segment segment_;
  Handles handles_;
  ThreadRings rings_;
  LossLedger losses_;
  GatePage gate_page_;
  const std::chrono::nanoseconds full_ring_wait_;
  std::atomic<Loss> closed_for_{kOpen};
  // Entries of the rings that are taken or in the ledger as late; no bound while the writer lives.
  std::atomic<std::uint64_t> accounted_{UINT64_MAX};
  std::atomic<std::uint64_t> users_;
  std::atomic<std::uint64_t> most_users_;
};

}  // namespace metricsd::client
