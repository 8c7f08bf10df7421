#include "metric_registry.h"

#include "../fork_guard.h"
#include "../thread_leases.h"

#include <metricsd/models/json/writer.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/utf8.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <string_view>
#include <utility>

namespace metricsd::client {
namespace {

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

void forget_cells() noexcept {
  t_cells = {};
}
using BlockLeases = ThreadLeases<CellBlock, forget_cells>;

std::size_t most_of(Kind kind) {
  switch (kind) {
    case Kind::counter: return limits::kOwnCounters;
    case Kind::gauge: return limits::kOwnGauges;
    case Kind::histogram: return limits::kOwnHistograms;
  }
  return 0;
}

Result<> check_label_value(std::string_view value) {
  if (value.size() > limits::kLabelValue) return Errc::too_long;
  if (!is_valid_utf8(value) || value.find('\0') != std::string_view::npos) return Errc::invalid_characters;
  return {};
}

std::string key_of(const LabelValues& labels) {
  std::string key;
  append_series_key(key, std::vector<std::string_view>(labels.begin(), labels.end()));
  return key;
}

// A name as a warning can show it, whatever it is.
std::string shown(std::string_view name) {
  std::string text;
  append_json_string(text, is_valid_utf8(name) ? utf8_prefix(name, limits::kFamilyName) : "not UTF-8");
  return text;
}

}  // namespace

MetricRegistry::MetricRegistry()
    : id_(next_id()), generation_(fork_guard::arm()), catalog_(limits::kSeriesPerFamily) {}

MetricRegistry::~MetricRegistry() {
  for (const auto& block : blocks_) block->abandoned.store(true, std::memory_order_relaxed);
}

bool MetricRegistry::is_inherited() const noexcept {
  return fork_guard::generation() != generation_;
}

Result<const MetricSeries*> MetricRegistry::define(FamilySpec spec,
                                                   const std::map<std::string, std::string>& labels) {
  LabelValues values;
  for (const auto& [name, value] : labels) {
    if (const auto checked = check_label_value(value); !checked) return checked.error();
    spec.label_names.push_back(name);
    values.push_back(value);
  }
  if (is_inherited()) return Errc::limit_reached;  // its lock may be one that nobody will ever open
  std::string key = key_of(values);
  const std::lock_guard lock(mutex_);
  const auto entry = define_family(std::move(spec));
  if (!entry) return entry.error();
  const auto known = (*entry)->series.find(std::string_view(key));
  if (known != (*entry)->series.end()) return known->second;
  return add_series(**entry, std::move(values), std::move(key));
}

const MetricSeries* MetricRegistry::define_or_warn(
    const FamilySpec& spec, const std::map<std::string, std::string>& labels) noexcept {
  constexpr std::size_t kWarnings = 10;
  try {
    const auto defined = define(spec, labels);
    if (defined) return *defined;
    if (is_inherited()) return nullptr;  // as in define()
    const std::lock_guard lock(mutex_);
    ++inert_count_;
    if (inert_.size() < kWarnings) {
      inert_.push_back("the metric " + shown(spec.base_name) +
                       " counts nothing: " + defined.error().message());
    }
  } catch (const std::bad_alloc&) {
    lost_.fetch_add(1, std::memory_order_relaxed);
  }
  return nullptr;
}

Result<MetricRegistry::Entry*> MetricRegistry::define_family(FamilySpec spec) {
  auto shared = catalog_.define(std::move(spec));
  if (!shared) return shared.error();
  std::unique_ptr<Entry>& entry = entries_[shared->get()];
  if (entry == nullptr) {
    auto table =
        (*shared)->kind == Kind::histogram ? std::make_unique<const BucketTable>((*shared)->bounds) : nullptr;
    const auto id = static_cast<std::uint32_t>(families_.size());
    entry = std::make_unique<Entry>(Entry{{id, *std::move(shared), std::move(table)}, {}});
    families_.push_back(&entry->family);
  }
  return entry.get();
}

Result<const MetricSeries*> MetricRegistry::add_series(Entry& entry, LabelValues labels, std::string key) {
  const Kind kind = entry.family.spec->kind;
  auto& of_kind = by_index_[static_cast<std::size_t>(kind)];
  if (of_kind.size() >= most_of(kind)) return Errc::limit_reached;
  const auto index = static_cast<std::uint32_t>(of_kind.size());
  auto gauge = kind == Kind::gauge ? std::make_shared<GaugeCell>() : nullptr;
  series_.push_back(std::make_unique<const MetricSeries>(
      MetricSeries{&entry.family, std::move(labels), index, std::move(gauge)}));
  const MetricSeries* added = series_.back().get();
  of_kind.push_back(added);
  entry.series.emplace(std::move(key), added);
  version_.fetch_add(1, std::memory_order_release);
  return added;
}

bool MetricRegistry::enter() noexcept {
  if (is_inherited() || closed_.load(std::memory_order_relaxed)) return false;
  try {
    const CellBlock& block =
        BlockLeases::of_this_thread().find_or_acquire(id_, [this] { return acquire_block(); });
    t_cells = {id_, block.counters(), block.histograms()};
    return true;
  } catch (const std::bad_alloc&) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
}

std::shared_ptr<CellBlock> MetricRegistry::acquire_block() {
  const std::lock_guard lock(mutex_);
  for (const auto& block : blocks_) {
    // Acquire: the cells as the block's last thread left them.
    if (!block->taken.exchange(true, std::memory_order_acquire)) return block;
  }
  blocks_.push_back(std::make_shared<CellBlock>());
  version_.fetch_add(1, std::memory_order_release);
  return blocks_.back();
}

void MetricRegistry::observe_carefully(std::uint32_t histogram, double value) noexcept {
  if (is_inherited()) return;  // as in define(): what follows may lock
  if (!(std::isfinite(value) && value >= 0)) return refuse();
  HistogramCell* cell = t_cells.histograms[histogram];
  if (cell == nullptr) cell = open_histogram(histogram);
  if (cell == nullptr || !cell->observe_any(value)) set_aside(histogram, value);
}

HistogramCell* MetricRegistry::open_histogram(std::uint32_t index) noexcept {
  CellBlock* block = BlockLeases::of_this_thread().find(id_);
  const std::lock_guard lock(mutex_);
  const MetricSeries* series = by_index_[static_cast<std::size_t>(Kind::histogram)][index];
  return block->open_histogram(index, *series->family->table);
}

void MetricRegistry::set_aside(std::uint32_t histogram, double value) noexcept {
  try {
    std::unique_lock defining(mutex_);
    const MetricSeries* series = by_index_[static_cast<std::size_t>(Kind::histogram)][histogram];
    defining.unlock();
    const std::lock_guard lock(set_aside_mutex_);
    set_aside_.try_emplace(series, series->family->spec).first->second.apply(value);
  } catch (const std::bad_alloc&) {
    lost_.fetch_add(1, std::memory_order_relaxed);
  }
}

void MetricRegistry::refresh(View& view) const {
  if (view.version == version_.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(mutex_);
  view.families = families_;
  view.blocks = blocks_;
  for (std::size_t i = view.series.size(); i < series_.size(); ++i) view.series.push_back(series_[i].get());
  view.version = version_.load(std::memory_order_relaxed);
}

std::optional<Buckets> MetricRegistry::take_set_aside(const MetricSeries& histogram) {
  const std::lock_guard lock(set_aside_mutex_);
  const auto taken = set_aside_.extract(&histogram);
  if (taken.empty()) return std::nullopt;
  return std::get<Buckets>(*taken.mapped().show());
}

std::vector<std::string> MetricRegistry::warnings() const {
  std::vector<std::string> lines;
  std::uint64_t refused = refused_.load(std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    lines = inert_;
    if (inert_count_ > inert_.size()) {
      lines.push_back(std::to_string(inert_count_ - inert_.size()) + " more metrics count nothing");
    }
    for (const MetricSeries* gauge : by_index_[static_cast<std::size_t>(Kind::gauge)]) {
      refused += gauge->gauge->refused.load(std::memory_order_relaxed);
    }
  }
  if (refused != 0) {
    lines.push_back(std::to_string(refused) +
                    " values of metrics were refused: negative, too large or not finite");
  }
  if (const std::uint64_t lost = lost_.load(std::memory_order_relaxed); lost != 0) {
    lines.push_back(std::to_string(lost) + " values of metrics were lost: no memory");
  }
  return lines;
}

}  // namespace metricsd::client
