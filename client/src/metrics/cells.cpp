#include "cells.h"

#include <metricsd/models/limits.h>

#include <new>
#include <thread>

namespace metricsd::client {
namespace {

// Memory that reads zero; pages of it that nobody touches cost none.
template <class T>
T* zeroed(std::size_t count) {
  void* memory = std::calloc(count, sizeof(T));  // NOLINT(bugprone-sizeof-expression): T may be a pointer
  if (memory == nullptr) throw std::bad_alloc();
  return static_cast<T*>(memory);
}

}  // namespace

constinit thread_local ThreadCells t_cells;

void HistogramCell::carry_over() noexcept {
  const std::atomic_ref shared_version(version);
  shared_version.store(version + 1, std::memory_order_relaxed);
  const double closing = open_sum;
  std::atomic_ref(open_sum).store(0, std::memory_order_release);
  std::atomic_ref(closed_sum).store(closed_sum + closing, std::memory_order_release);
  shared_version.store(version + 1, std::memory_order_release);
}

// Who reads something of a new version by acquiring it reads no older version after that.
std::optional<double> HistogramCell::sum() noexcept {
  constexpr int kTries = 100;
  const std::atomic_ref shared_version(version);
  for (int i = 0; i < kTries; ++i) {
    const std::uint64_t before = shared_version.load(std::memory_order_acquire);
    const double open = std::atomic_ref(open_sum).load(std::memory_order_acquire);
    const double closed = std::atomic_ref(closed_sum).load(std::memory_order_acquire);
    if (before % 2 == 0 && shared_version.load(std::memory_order_relaxed) == before) return open + closed;
    std::this_thread::yield();
  }
  return std::nullopt;
}

CellBlock::CellBlock()
    : counters_(zeroed<CounterCell>(limits::kOwnCounters)),
      histograms_(zeroed<HistogramCell*>(limits::kOwnHistograms)) {}

CellBlock::~CellBlock() {
  for (std::size_t i = 0; i < limits::kOwnHistograms; ++i) std::free(histograms_[i]);
}

HistogramCell* CellBlock::open_histogram(std::uint32_t index, const BucketTable& table) noexcept {
  void* memory = std::calloc(1, sizeof(HistogramCell) + table.cells() * sizeof(std::uint64_t));
  if (memory == nullptr) return nullptr;
  auto* cell = static_cast<HistogramCell*>(memory);
  cell->entries = table.entries();
  cell->first_key = table.first_key();
  cell->table = &table;
  std::atomic_ref(histograms_[index]).store(cell, std::memory_order_release);
  return cell;
}

}  // namespace metricsd::client
