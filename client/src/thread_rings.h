// The rings of one collector, one for each thread that records at present.
//
// A thread takes a lock on its first call only; then its ring is found through a thread-local cache. The
// cache is keyed by a ticket that no other collector of the process ever has (gate.h), and a thread shares
// the ownership of its rings, so that it may outlive the collector and the collector the thread. When a
// thread ends, its ring goes to the next new thread with whatever the writer has not taken yet: a ring is one
// stream, whoever writes it. Spare rings stand ready for threads to come, made by the background thread:
// making one costs some hundred microseconds, which a thread's first call then does not see.
//
// Memory: `ring_bytes` a ring while all of a collector's stay within kFullSizedRings; then kSmallRing each. A
// ring is a stream of the socket's protocol, the first is stream 0, and the last stream is not a ring's
// (limits::kMetricsStream): a thread that comes when all others are taken gets none.
#pragma once

#include "ring.h"

#include <metricsd/models/limits.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace metricsd::client {

// The ring this thread used last, and whose it is. No destructor, so it can be read at any time of a thread's
// end. Initial-exec: one load from the thread pointer, where the default of a shared library would be a call.
// Its 16 bytes fit what the loader keeps for libraries that are opened later.
struct CachedRing {
  static constexpr std::uint64_t kNobody = 1;  // neither a collector's ticket nor a shut gate's

  std::uint64_t ticket = kNobody;
  Ring* ring = nullptr;
};
[[gnu::tls_model("initial-exec")]] extern constinit thread_local CachedRing t_cached_ring;

class ThreadRings {
 public:
  static constexpr std::size_t kSmallRing = std::size_t{64} << 10;
  static constexpr std::size_t kFullSizedRings = std::size_t{64} << 20;

  // One ring and who has it.
  struct Slot {
    Slot(Segment& segment, std::uint32_t stream, std::size_t capacity, bool is_taken)
        : ring(segment, stream, capacity), taken(is_taken) {}

    Ring ring;
    // As ThreadLeases has them.
    std::atomic<bool> taken;
    std::atomic<bool> abandoned{false};
  };
  using SlotPtr = std::shared_ptr<Slot>;

  // At most `most` rings.
  ThreadRings(Segment& segment, std::size_t ring_bytes, std::size_t most = limits::kMetricsStream);
  ThreadRings(const ThreadRings&) = delete;
  ThreadRings& operator=(const ThreadRings&) = delete;
  ~ThreadRings();

  // What t_cached_ring has beside a ring of these.
  [[nodiscard]] std::uint64_t ticket() const noexcept { return ticket_; }
  // The calling thread's ring, also left in its cache; null where there is none to be had. Any thread.
  [[nodiscard]] Ring* of_this_thread() noexcept;

  // Brings `slots` up to date: slots are only ever added. For the one thread that drains.
  void refresh(std::vector<SlotPtr>& slots) const;
  // Makes a spare ring where `slots` show that there is none left, two once threads come by the pair. For the
  // one thread that drains.
  void provide_spares(const std::vector<SlotPtr>& slots) noexcept;

  // Entries in and through all rings so far. Any thread.
  [[nodiscard]] std::uint64_t committed() const noexcept;

 private:
  [[nodiscard]] SlotPtr acquire();
  [[nodiscard]] SlotPtr add_slot(bool taken);

  const std::uint64_t ticket_;
  const std::size_t ring_bytes_;
  const std::size_t most_;
  Segment& segment_;
  mutable std::mutex mutex_;
  std::vector<SlotPtr> slots_;              // guarded by mutex_
  std::size_t allocated_bytes_ = 0;         // guarded by mutex_
  std::atomic<std::size_t> slot_count_{0};  // slots_.size(), to look at without the lock
};

}  // namespace metricsd::client
