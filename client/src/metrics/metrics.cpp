// What a handle does with a value: into the calling thread's cell where that is the one used last, else by
// way of the registry.
#include "metric_registry.h"

#include <metricsd/client/metrics.h>
#include <metricsd/models/limits.h>

#include <cmath>
#include <utility>

namespace metricsd::client {

Counter::Counter(std::shared_ptr<MetricRegistry> registry, std::uint32_t index) noexcept
    : registry_id_(registry->id()), index_(index), registry_(std::move(registry)) {}

void Counter::add_whole(std::uint64_t amount) const noexcept {
  if (t_cells.registry != registry_id_) [[unlikely]]
    return add_anew(amount);
  add_alone(t_cells.counters[index_].whole, amount);
}

void Counter::add_anew(std::uint64_t amount) const noexcept {
  if (registry_ != nullptr && registry_->enter()) add_alone(t_cells.counters[index_].whole, amount);
}

void Counter::add_real(double amount) const noexcept {
  static_assert(kMost == limits::kWhole);
  if (!(amount >= 0 && amount <= static_cast<double>(kMost))) return refuse();
  const double whole = std::floor(amount);
  add_whole(static_cast<std::uint64_t>(whole));
  if (amount != whole && t_cells.registry == registry_id_)
    add_alone(t_cells.counters[index_].rest, amount - whole);
}

void Counter::refuse() const noexcept {
  if (registry_ != nullptr) registry_->refuse();
}

Gauge::Gauge(std::shared_ptr<GaugeCell> cell) noexcept : cell_(std::move(cell)) {}

void Gauge::set(double value) const noexcept {
  if (cell_ == nullptr) return;
  if (std::isfinite(value)) {
    cell_->value.store(value, std::memory_order_relaxed);
  } else {
    cell_->refused.fetch_add(1, std::memory_order_relaxed);
  }
}

void Gauge::add(double amount) const noexcept {
  if (cell_ == nullptr) return;
  double before = cell_->value.load(std::memory_order_relaxed);
  double after = 0;
  do {
    after = (std::isnan(before) ? 0 : before) + amount;
    if (!std::isfinite(after)) {
      cell_->refused.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  } while (!cell_->value.compare_exchange_weak(before, after, std::memory_order_relaxed));
}

Histogram::Histogram(std::shared_ptr<MetricRegistry> registry, std::uint32_t index) noexcept
    : registry_id_(registry->id()), index_(index), registry_(std::move(registry)) {}

void Histogram::observe(double value) const noexcept {
  if (t_cells.registry != registry_id_) [[unlikely]]
    return observe_carefully(value);
  HistogramCell* cell = t_cells.histograms[index_];
  if (cell == nullptr || !cell->observe_usual(value)) [[unlikely]]
    observe_carefully(value);
}

void Histogram::observe_carefully(double value) const noexcept {
  if (registry_ == nullptr) return;
  if (t_cells.registry == registry_id_ || registry_->enter()) registry_->observe_carefully(index_, value);
}

}  // namespace metricsd::client
