// What a thread has of several collectors, given back when it ends.
//
// A Loan is one thing that one thread at a time works with: its `taken` is true while a thread does, its
// `abandoned` once its collector is gone. The ids are the collectors': numbers that are never used again, so
// that an id from before can only miss. Shared ownership lets a thread outlive the collector and the
// collector the thread.
//
// Leases hang on a key of pthreads, not on a thread_local with a destructor: a thread's keys end after all
// its thread_locals, so that the destructors of these may record; and where the destructor of another key
// records, a key that was set anew is ended anew (PTHREAD_DESTRUCTOR_ITERATIONS times). The main thread's
// stay until the process ends: its statics' destructors may record.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include <pthread.h>

namespace metricsd::client {

// One thread's, who alone uses it. `kForget` empties what the thread caches of its loans, when it ends.
template <class Loan, void (*kForget)() noexcept>
class ThreadLeases {
 public:
  // The calling thread's. Throws std::bad_alloc, also where the process has no key left.
  static ThreadLeases& of_this_thread() {
    static const Key key;
    if (!key.made) throw std::bad_alloc();
    if (void* leases = ::pthread_getspecific(key.id); leases != nullptr) {
      return *static_cast<ThreadLeases*>(leases);
    }
    auto leases = std::make_unique<ThreadLeases>();
    if (::pthread_setspecific(key.id, leases.get()) != 0) throw std::bad_alloc();
    return *leases.release();
  }

  ThreadLeases() = default;
  ThreadLeases(const ThreadLeases&) = delete;
  ThreadLeases& operator=(const ThreadLeases&) = delete;
  ~ThreadLeases() {
    for (const Lease& lease : leases_) lease.loan->taken.store(false, std::memory_order_release);
    kForget();
  }

  // Null where the thread has nothing of this collector.
  [[nodiscard]] Loan* find(std::uint64_t id) const noexcept {
    const auto found =
        std::find_if(leases_.begin(), leases_.end(), [id](const Lease& lease) { return lease.id == id; });
    return found == leases_.end() ? nullptr : found->loan.get();
  }

  // The same, or what `acquire` gives, taken. Throws std::bad_alloc, and what `acquire` throws.
  template <class Acquire>
  [[nodiscard]] Loan& find_or_acquire(std::uint64_t id, const Acquire& acquire) {
    if (Loan* loan = find(id); loan != nullptr) return *loan;
    std::erase_if(leases_,
                  [](const Lease& lease) { return lease.loan->abandoned.load(std::memory_order_relaxed); });
    leases_.reserve(leases_.size() + 1);  // first: a loan is never taken without being noted
    leases_.push_back({id, acquire()});
    return *leases_.back().loan;
  }

 private:
  struct Key {
    pthread_key_t id{};
    bool made =
        ::pthread_key_create(&id, [](void* leases) { delete static_cast<ThreadLeases*>(leases); }) == 0;
  };
  struct Lease {
    std::uint64_t id;
    std::shared_ptr<Loan> loan;
  };

  std::vector<Lease> leases_;
};

}  // namespace metricsd::client
