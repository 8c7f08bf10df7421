#include "thread_rings.h"

#include "thread_leases.h"

#include <algorithm>
#include <memory>
#include <new>

namespace metricsd::client {

constinit thread_local CachedRing t_cached_ring;

namespace {

// Tickets are never reused: a cache entry of a collector that is gone can only miss.
std::uint64_t next_ticket() {
  static std::atomic<std::uint64_t> last{CachedRing::kNobody};
  return ++last;
}

void forget_ring() noexcept {
  t_cached_ring = {};
}
using RingLeases = ThreadLeases<ThreadRings::Slot, forget_ring>;

}  // namespace

ThreadRings::ThreadRings(Segment& segment, std::size_t ring_bytes, std::size_t most)
    : ticket_(next_ticket()),
      ring_bytes_(std::clamp(ring_bytes, kSmallRing, kFullSizedRings)),
      most_(most),
      segment_(segment) {}

ThreadRings::~ThreadRings() {
  for (const SlotPtr& slot : slots_) slot->abandoned.store(true, std::memory_order_relaxed);
}

Ring* ThreadRings::of_this_thread() noexcept {
  if (t_cached_ring.ticket == ticket_) return t_cached_ring.ring;
  try {
    Slot& slot = RingLeases::of_this_thread().find_or_acquire(ticket_, [this] { return acquire(); });
    t_cached_ring = {ticket_, &slot.ring};
    return &slot.ring;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

ThreadRings::SlotPtr ThreadRings::acquire() {
  {
    const std::lock_guard lock(mutex_);
    for (const SlotPtr& slot : slots_) {
      // Acquire: the producer's side of the ring as its last thread left it.
      if (!slot->taken.exchange(true, std::memory_order_acquire)) return slot;
    }
  }
  return add_slot(true);
}

ThreadRings::SlotPtr ThreadRings::add_slot(bool taken) {
  std::unique_lock lock(mutex_);
  if (slots_.size() == most_) throw std::bad_alloc();
  const std::size_t bytes = allocated_bytes_ + ring_bytes_ <= kFullSizedRings ? ring_bytes_ : kSmallRing;
  slots_.reserve(slots_.size() + 1);
  // Taken until its pages are there: nobody else finds it before.
  SlotPtr slot = std::make_shared<Slot>(segment_, static_cast<std::uint32_t>(slots_.size()), bytes, true);
  slots_.push_back(slot);
  allocated_bytes_ += slot->ring.capacity();
  slot_count_.store(slots_.size(), std::memory_order_release);
  lock.unlock();
  slot->ring.populate();  // takes its time: not while others wait for theirs
  if (!taken) slot->taken.store(false, std::memory_order_release);
  return slot;
}

void ThreadRings::refresh(std::vector<SlotPtr>& slots) const {
  if (slots.size() == slot_count_.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(mutex_);
  slots.assign(slots_.begin(), slots_.end());
}

void ThreadRings::provide_spares(const std::vector<SlotPtr>& slots) noexcept {
  const auto taken =
      static_cast<std::size_t>(std::count_if(slots.begin(), slots.end(), [](const SlotPtr& slot) {
        return slot->taken.load(std::memory_order_relaxed);
      }));
  const std::size_t wanted = taken < 2 ? 1 : 2;
  try {
    for (std::size_t spare = slots.size() - taken; spare < wanted; ++spare) {
      static_cast<void>(add_slot(false));
    }
  } catch (const std::bad_alloc&) {
    // The thread that comes will try itself, and count.
  }
}

std::uint64_t ThreadRings::committed() const noexcept {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const SlotPtr& slot : slots_) sum += slot->ring.committed();
  return sum;
}

}  // namespace metricsd::client
