#include "thread_rings.h"

#include <algorithm>
#include <memory>
#include <new>

#include <pthread.h>

namespace metricsd::client {
namespace {

// Ids are never reused: a cache entry of a collector that is gone can only miss. 0 is nobody's.
std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

// The ring this thread used last. No destructor, so it can be read at any time of a thread's end.
// Initial-exec: one load from the thread pointer, where the default of a shared library would be a call.
struct LastUsed {
  std::uint64_t id = 0;
  Ring* ring = nullptr;
};
[[gnu::tls_model("initial-exec")]] constinit thread_local LastUsed t_last_used;

// All rings a thread has, given back when it ends.
//
// They hang on a key of pthreads, not on a thread_local with a destructor: a thread's keys end after all its
// thread_locals, so that the destructors of these may record; and where the destructor of another key
// records, a key that was set anew is ended anew (PTHREAD_DESTRUCTOR_ITERATIONS times). The main thread's
// stay until the process ends: its statics' destructors may record.
class Leases {
 public:
  // The calling thread's. Throws std::bad_alloc, also where the process has no key left.
  static Leases& of_this_thread() {
    static const Key key;
    if (!key.made) throw std::bad_alloc();
    if (void* leases = ::pthread_getspecific(key.id); leases != nullptr) return *static_cast<Leases*>(leases);
    auto leases = std::make_unique<Leases>();
    if (::pthread_setspecific(key.id, leases.get()) != 0) throw std::bad_alloc();
    return *leases.release();
  }

  Leases() = default;
  Leases(const Leases&) = delete;
  Leases& operator=(const Leases&) = delete;
  ~Leases() {
    for (const Lease& lease : leases_) lease.slot->taken.store(false, std::memory_order_release);
    t_last_used = {};
  }

  [[nodiscard]] Ring* find(std::uint64_t id) const noexcept {
    const auto found =
        std::find_if(leases_.begin(), leases_.end(), [id](const Lease& l) { return l.id == id; });
    return found == leases_.end() ? nullptr : &found->slot->ring;
  }

  // Makes room first, so that a slot is never taken without being noted.
  void prepare() {
    std::erase_if(leases_, [](const Lease& l) { return l.slot->abandoned.load(std::memory_order_relaxed); });
    leases_.reserve(leases_.size() + 1);
  }
  void add(std::uint64_t id, ThreadRings::SlotPtr slot) noexcept { leases_.push_back({id, std::move(slot)}); }

 private:
  struct Key {
    pthread_key_t id{};
    bool made = ::pthread_key_create(&id, [](void* leases) { delete static_cast<Leases*>(leases); }) == 0;
  };
  struct Lease {
    std::uint64_t id;
    ThreadRings::SlotPtr slot;
  };
  std::vector<Lease> leases_;
};

}  // namespace

ThreadRings::ThreadRings(std::size_t ring_bytes)
    : id_(next_id()), ring_bytes_(std::clamp(ring_bytes, kSmallRing, kFullSizedRings)) {}

ThreadRings::~ThreadRings() {
  for (const SlotPtr& slot : slots_) slot->abandoned.store(true, std::memory_order_relaxed);
}

Ring* ThreadRings::of_this_thread() noexcept {
  if (t_last_used.id == id_) return t_last_used.ring;
  return find_or_lease();
}

Ring* ThreadRings::find_or_lease() noexcept {
  try {
    Leases& leases = Leases::of_this_thread();
    Ring* ring = leases.find(id_);
    if (ring == nullptr) {
      leases.prepare();
      SlotPtr slot = acquire();
      ring = &slot->ring;
      leases.add(id_, std::move(slot));
    }
    t_last_used = {id_, ring};
    return ring;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

ThreadRings::SlotPtr ThreadRings::acquire() {
  std::unique_lock lock(mutex_);
  for (const SlotPtr& slot : slots_) {
    // Acquire: the producer's side of the ring as its last thread left it.
    if (!slot->taken.exchange(true, std::memory_order_acquire)) return slot;
  }
  const std::size_t bytes = allocated_bytes_ + ring_bytes_ <= kFullSizedRings ? ring_bytes_ : kSmallRing;
  slots_.push_back(std::make_shared<Slot>(bytes, static_cast<std::uint32_t>(slots_.size())));
  allocated_bytes_ += slots_.back()->ring.capacity();
  slot_count_.store(slots_.size(), std::memory_order_release);
  SlotPtr slot = slots_.back();
  lock.unlock();
  slot->ring.populate();  // takes its time: not while others wait for theirs
  return slot;
}

void ThreadRings::refresh(std::vector<SlotPtr>& slots) const {
  if (slots.size() == slot_count_.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(mutex_);
  slots.assign(slots_.begin(), slots_.end());
}

std::uint64_t ThreadRings::committed() const noexcept {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const SlotPtr& slot : slots_) sum += slot->ring.committed();
  return sum;
}

}  // namespace metricsd::client
