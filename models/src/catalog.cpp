#include <metricsd/models/catalog.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

namespace metricsd {
namespace {

// Every name that some format shows for a family. OpenMetrics calls a counter's family by its name without
// `_total` and gives each kind but gauges a `_created` sample.
std::vector<std::string> reserved_names(const FamilySpec& spec) {
  const std::string name = metric_name(spec);
  switch (spec.kind) {
    case Kind::gauge: return {name};
    case Kind::counter: return {name, name + "_total", name + "_created"};
    case Kind::histogram: return {name, name + "_bucket", name + "_sum", name + "_count", name + "_created"};
  }
  return {name};
}

bool is_same(const FamilySpec& a, FamilySpec b) {
  b.help = a.help;
  return a == b;
}

}  // namespace

Result<std::shared_ptr<const FamilySpec>> Catalog::define(FamilySpec spec, Room room) {
  if (const Result<> valid = validate(spec); !valid) return valid.error();
  const std::vector<std::string> names = reserved_names(spec);
  const std::lock_guard lock(mutex_);
  if (const auto known = by_name_.find(names.front()); known != by_name_.end()) {
    if (is_same(*known->second->spec, spec)) return known->second->spec;
    return Errc::conflicting_definition;
  }
  if (std::any_of(names.begin(), names.end(),
                  [&](const std::string& name) { return by_name_.contains(name); })) {
    return Errc::conflicting_definition;
  }
  if (entries_.size() >= limits::kFamilies) return Errc::limit_reached;
  auto shared = std::make_shared<const FamilySpec>(std::move(spec));
  OverflowReport overflow{.family = exposition_name(*shared), .exploded_label = {}};
  entries_.push_back(std::make_unique<Entry>(Entry{.spec = std::move(shared),
                                                   .room = room,
                                                   .keys = {},
                                                   .overflow_keys = {},
                                                   .overflow = std::move(overflow)}));
  Entry& entry = *entries_.back();
  for (const std::string& name : names) by_name_.emplace(name, &entry);
  by_spec_.emplace(entry.spec.get(), &entry);
  return entry.spec;
}

const StoredKey* Catalog::admit(const FamilySpec& family, std::string_view series_key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_spec_.find(&family);
  if (found == by_spec_.end()) return nullptr;
  Entry& entry = *found->second;
  const std::size_t before = entry.keys.size();
  const bool is_known = entry.keys.find(series_key, text_of()) != KeyIndex::kNone;
  if (!is_known && (series_key.size() > KeyPool::kMaxSize || !has_room(entry))) {
    ++entry.overflow.refused;
    return nullptr;
  }
  const StoredKey* const key = hold(entry.keys, series_key, false);
  if (entry.keys.size() == before) return key;
  entry.has_changed = true;
  ++series_;
  if (entry.room == Room::common) ++common_series_;
  return key;
}

const StoredKey* Catalog::admit_overflow(const FamilySpec& family, std::string_view series_key) {
  const std::lock_guard lock(mutex_);
  return hold(by_spec_.at(&family)->overflow_keys, series_key, true);
}

void Catalog::release(const FamilySpec& family, std::string_view series_key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_spec_.find(&family);
  if (found == by_spec_.end() || !let_go(found->second->keys, series_key)) return;
  found->second->has_changed = true;
  --series_;
  if (found->second->room == Room::common) --common_series_;
}

void Catalog::release_overflow(const FamilySpec& family, std::string_view series_key) {
  const std::lock_guard lock(mutex_);
  let_go(by_spec_.at(&family)->overflow_keys, series_key);
}

const StoredKey* Catalog::hold(KeyIndex& keys, std::string_view series_key, bool is_overflow) {
  KeyPool::Id id = keys.find(series_key, text_of());
  if (id == KeyIndex::kNone) {
    id = keys_.add(series_key, is_overflow);
    keys.insert(id, text_of());
  }
  StoredKey& key = keys_.at(id);
  ++key.holders_;
  return &key;
}

// True if that was its last holder. The caller's text may be the key's own: it is read no more then.
bool Catalog::let_go(KeyIndex& keys, std::string_view series_key) {
  const KeyPool::Id id = keys.find(series_key, text_of());
  if (id == KeyIndex::kNone || --keys_.at(id).holders_ > 0) return false;
  keys.erase(series_key, text_of());
  keys_.remove(id);
  return true;
}

void Catalog::count_refused(const FamilySpec& family, std::uint64_t observations) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_spec_.find(&family); found != by_spec_.end()) {
    found->second->overflow.refused += observations;
  }
}

std::size_t Catalog::series_count() const {
  const std::lock_guard lock(mutex_);
  return series_;
}

std::vector<OverflowReport> Catalog::overflows() {
  const std::lock_guard lock(mutex_);
  std::vector<OverflowReport> reports;
  for (const auto& entry : entries_) {
    if (entry->overflow.refused == 0) continue;
    if (std::exchange(entry->has_changed, false)) find_exploded_label(*entry);
    reports.push_back(entry->overflow);
  }
  return reports;
}

bool Catalog::has_room(const Entry& entry) const {
  if (entry.keys.size() >= max_series_) return false;
  // Whoever allows one family more than that allows all of them as much.
  return entry.room == Room::own || common_series_ < std::max(limits::kSeries, max_series_);
}

void Catalog::find_exploded_label(Entry& entry) const {
  const LabelNames& names = entry.spec->label_names;
  std::vector<std::unordered_set<std::string_view>> distinct(names.size());
  entry.keys.for_each([&](KeyPool::Id id) {
    std::string_view rest = keys_.at(id).text();
    for (auto& values : distinct) values.insert(take_value(rest));
  });
  entry.overflow.distinct_values = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (distinct[i].size() <= entry.overflow.distinct_values) continue;
    entry.overflow.distinct_values = distinct[i].size();
    entry.overflow.exploded_label = names[i];
  }
}

}  // namespace metricsd
