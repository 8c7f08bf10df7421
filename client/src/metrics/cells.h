// Where the values of a collector's metrics are counted: cells that callers write, and the background thread
// reads at any time.
//
//   counter, histogram   a cell in each thread's block: load, add, store, without a lock prefix
//   gauge                one cell for all threads: the last writer wins
//
// A cell of a block only grows, and is added to those of its series in all other blocks: so a thread's end,
// and the next one that takes over its block, change no sum.
#pragma once

#include "bucket_table.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>

namespace metricsd::client {

// A load, an addition and a store: for what one thread alone writes. Whoever reads the new value sees what
// was written before it.
template <class T>
T add_alone(T& value, T amount) noexcept {
  const std::atomic_ref shared(value);
  const T sum = shared.load(std::memory_order_relaxed) + amount;
  shared.store(sum, std::memory_order_release);
  return sum;
}

// All zero in the beginning; at most one thread writes.
struct CounterCell {
  std::uint64_t whole;  // whole amounts, and the whole parts of others
  double rest;          // the sum of what is behind the point
};

// Any thread writes.
struct alignas(64) GaugeCell {
  static constexpr double kUnset = std::numeric_limits<double>::quiet_NaN();

  std::atomic<double> value{kUnset};
  std::atomic<std::uint64_t> refused{0};
};

// Counts by the cells of a BucketTable, and a sum. All zero in the beginning; at most one thread writes.
struct HistogramCell {
  // Values are summed up in `open_sum`, which is carried over to `closed_sum` now and then: so small values
  // are not lost in a large sum, and 10^9 of them are summed up to 10 digits.
  static constexpr std::uint64_t kCarryOver = 1024;

  const BucketTable::Entry* entries;  // the table's
  std::uint64_t first_key;            // the table's
  const BucketTable* table;
  double open_sum;
  double closed_sum;
  std::uint64_t version;  // odd while a sum is carried over

  // As many as the table has cells.
  [[nodiscard]] std::uint64_t* counts() noexcept { return reinterpret_cast<std::uint64_t*>(this + 1); }

  // The sum before the count: who sees the count finds the value in the sum.
  void count_in(std::uint32_t cell, double value) noexcept {
    add_alone(open_sum, value);
    if (add_alone(counts()[cell], std::uint64_t{1}) % kCarryOver == 0) [[unlikely]]
      carry_over();
  }

  // Counts a value as most values are. False where it takes more thought, and nothing was counted.
  [[nodiscard]] bool observe_usual(double value) noexcept {
    const std::uint64_t key = BucketTable::key_of(value, first_key);
    if (key >= BucketTable::kKeys) [[unlikely]]
      return false;
    const BucketTable::Entry& entry = entries[key];
    if (entry.cell == BucketTable::kNoCell) [[unlikely]]
      return false;
    count_in(entry.cell + static_cast<std::uint32_t>(value > entry.threshold), value);
    return true;
  }

  // The same for any value >= 0 that the table covers.
  [[nodiscard]] bool observe_any(double value) noexcept {
    const std::uint32_t cell = table->find(value);
    if (cell == BucketTable::kNoCell) return false;
    count_in(cell, value);
    return true;
  }

  [[gnu::noinline]] void carry_over() noexcept;
  // The sum at one moment; nothing where it is being carried over for too long. Any thread.
  [[nodiscard]] std::optional<double> sum() noexcept;
};

// The counter and histogram cells of one thread.
class CellBlock {
 public:
  // Throws std::bad_alloc.
  CellBlock();
  CellBlock(const CellBlock&) = delete;
  CellBlock& operator=(const CellBlock&) = delete;
  ~CellBlock();

  // limits::kOwnCounters of them.
  [[nodiscard]] CounterCell* counters() const noexcept { return counters_.get(); }
  // limits::kOwnHistograms of them; null where the thread has not observed one yet.
  [[nodiscard]] HistogramCell** histograms() const noexcept { return histograms_.get(); }

  // The block's own thread: makes the cell. Null where there is no memory.
  [[nodiscard]] HistogramCell* open_histogram(std::uint32_t index, const BucketTable& table) noexcept;

  // As ThreadLeases has them.
  std::atomic<bool> taken{true};
  std::atomic<bool> abandoned{false};

 private:
  struct Free {
    void operator()(void* memory) const noexcept { std::free(memory); }
  };

  std::unique_ptr<CounterCell[], Free> counters_;
  std::unique_ptr<HistogramCell*[], Free> histograms_;
};

// What the calling thread used last. No destructor, so it can be read at any time of a thread's end.
// Initial-exec: one load from the thread pointer, where the default of a shared library would be a call.
struct ThreadCells {
  std::uint64_t registry = 0;  // MetricRegistry::id(); 0 is nobody's
  CounterCell* counters = nullptr;
  HistogramCell** histograms = nullptr;
};
[[gnu::tls_model("initial-exec")]] extern constinit thread_local ThreadCells t_cells;

}  // namespace metricsd::client
