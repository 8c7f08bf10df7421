// The metrics of one collector: which there are, and the cells that hold their values.
//
// Defining takes a lock. Using goes through the calling thread's block of cells, which it gets at its first
// use and leaves to the next new thread when it ends (thread_leases.h).
#pragma once

#include "cells.h"

#include <metricsd/models/catalog.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/family.h>
#include <metricsd/models/kinds/histogram.h>
#include <metricsd/models/shapes.h>
#include <metricsd/models/string_table.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace metricsd::client {

// One family, once defined: immutable, and as long-lived as its registry.
struct MetricFamily {
  std::uint32_t id;  // counted from 0
  std::shared_ptr<const FamilySpec> spec;
  std::unique_ptr<const BucketTable> table;  // of a histogram
};

// One series, once defined: immutable, and as long-lived as its registry.
struct MetricSeries {
  const MetricFamily* family;
  LabelValues labels;
  std::uint32_t index;               // of its cells, among those of its kind
  std::shared_ptr<GaugeCell> gauge;  // of a gauge
};

class MetricRegistry {
 public:
  MetricRegistry();
  MetricRegistry(const MetricRegistry&) = delete;
  MetricRegistry& operator=(const MetricRegistry&) = delete;
  ~MetricRegistry();

  // Never used again by another registry of the process.
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

  // The series of a family, defined where it is new. `spec` needs no label names: they are those of `labels`.
  // Errors: those of Catalog::define; too_long, invalid_characters of a label's value; limit_reached. Any
  // thread.
  [[nodiscard]] Result<const MetricSeries*> define(FamilySpec spec,
                                                   const std::map<std::string, std::string>& labels);

  // The same for who has no use for an error: null, and a warning.
  [[nodiscard]] const MetricSeries* define_or_warn(const FamilySpec& spec,
                                                   const std::map<std::string, std::string>& labels) noexcept;

  // Points t_cells at the calling thread's block here. False where there is none to be had: after close(), in
  // a forked child, and where there is no memory, which is counted. Any thread.
  bool enter() noexcept;
  // Counts a value that HistogramCell::observe_usual() did not. After enter(), in the same thread; in a
  // forked child nothing.
  void observe_carefully(std::uint32_t histogram, double value) noexcept;
  void refuse() noexcept { refused_.fetch_add(1, std::memory_order_relaxed); }

  // From now on no thread gets a block: for the end of the run.
  void close() noexcept { closed_.store(true, std::memory_order_relaxed); }

  // All there is so far. Families, series and blocks are only ever added, and keep their order.
  struct View {
    std::vector<const MetricFamily*> families;
    std::vector<const MetricSeries*> series;
    std::vector<std::shared_ptr<CellBlock>> blocks;
    std::uint64_t version = 0;
  };
  // Brings `view` up to date. For the one thread that reads the cells.
  void refresh(View& view) const;
  // What a histogram was observed beside its cells since the last call.
  [[nodiscard]] std::optional<Buckets> take_set_aside(const MetricSeries& histogram);

  // Metrics that are inert, values that were refused or lost, for a person.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  struct Entry {
    MetricFamily family;
    StringTable<const MetricSeries*> series;  // by the key of its label values
  };

  [[nodiscard]] bool is_inherited() const noexcept;
  [[nodiscard]] std::shared_ptr<CellBlock> acquire_block();
  [[nodiscard]] HistogramCell* open_histogram(std::uint32_t index) noexcept;
  void set_aside(std::uint32_t histogram, double value) noexcept;

  // With the mutex held.
  [[nodiscard]] Result<Entry*> define_family(FamilySpec spec);
  [[nodiscard]] Result<const MetricSeries*> add_series(Entry& entry, LabelValues labels, std::string key);

  const std::uint64_t id_;
  const std::uint64_t generation_;  // of the process (fork_guard.h)
  std::atomic<bool> closed_{false};
  std::atomic<std::uint64_t> refused_{0};  // values
  std::atomic<std::uint64_t> lost_{0};     // values, for want of memory
  std::atomic<std::uint64_t> version_{0};  // grows with whatever is added

  mutable std::mutex mutex_;
  Catalog catalog_;
  std::unordered_map<const FamilySpec*, std::unique_ptr<Entry>> entries_;
  std::vector<const MetricFamily*> families_;
  std::vector<std::unique_ptr<const MetricSeries>> series_;
  std::array<std::vector<const MetricSeries*>, 3> by_index_;  // for each kind
  std::vector<std::shared_ptr<CellBlock>> blocks_;

  std::vector<std::string> inert_;  // why, a line each; the first few
  std::uint64_t inert_count_ = 0;

  std::mutex set_aside_mutex_;
  std::unordered_map<const MetricSeries*, metricsd::Histogram> set_aside_;
};

}  // namespace metricsd::client
