// The rings of one collector, one for each thread that records at present.
//
// A thread takes a lock on its first call only; then its ring is found through a thread-local cache. The
// cache is keyed by an id that no other collector of the process ever has, and shares the ring's ownership,
// so that a thread may outlive the collector and the collector the thread. When a thread ends, its ring goes
// to the next new thread with whatever the writer has not taken yet: a ring is one stream, whoever writes it.
//
// Memory: `ring_bytes` a ring while all of a collector's stay within kFullSizedRings; then kSmallRing each.
#pragma once

#include "ring.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace metricsd::client {

class ThreadRings {
 public:
  static constexpr std::size_t kSmallRing = std::size_t{64} << 10;
  static constexpr std::size_t kFullSizedRings = std::size_t{64} << 20;

  // One ring and who has it.
  struct Slot {
    Slot(std::size_t capacity, std::uint32_t stream_number) : ring(capacity), stream(stream_number) {}

    Ring ring;
    const std::uint32_t stream;          // its number within the collector
    std::atomic<bool> taken{true};       // a living thread records into it
    std::atomic<bool> abandoned{false};  // its collector is gone
  };
  using SlotPtr = std::shared_ptr<Slot>;

  explicit ThreadRings(std::size_t ring_bytes);
  ThreadRings(const ThreadRings&) = delete;
  ThreadRings& operator=(const ThreadRings&) = delete;
  ~ThreadRings();

  // The calling thread's ring; null where there is no memory for one. Any thread.
  [[nodiscard]] Ring* of_this_thread() noexcept;

  // Brings `slots` up to date: slots are only ever added. For the one thread that drains.
  void refresh(std::vector<SlotPtr>& slots) const;

  // Entries in and through all rings so far. Any thread.
  [[nodiscard]] std::uint64_t committed() const noexcept;

 private:
  [[nodiscard]] Ring* find_or_lease() noexcept;
  [[nodiscard]] SlotPtr acquire();

  const std::uint64_t id_;
  const std::size_t ring_bytes_;
  mutable std::mutex mutex_;
  std::vector<SlotPtr> slots_;              // guarded by mutex_
  std::size_t allocated_bytes_ = 0;         // guarded by mutex_
  std::atomic<std::size_t> slot_count_{0};  // slots_.size(), to look at without the lock
};

}  // namespace metricsd::client
