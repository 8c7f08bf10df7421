#include <metricsd/models/catalog.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <string>

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

Result<std::shared_ptr<const FamilySpec>> Catalog::define(FamilySpec spec) {
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
  entries_.push_back(std::make_unique<Entry>(Entry{std::make_shared<const FamilySpec>(std::move(spec)), {}}));
  Entry& entry = *entries_.back();
  for (const std::string& name : names) by_name_.emplace(name, &entry);
  by_spec_.emplace(entry.spec.get(), &entry);
  return entry.spec;
}

bool Catalog::admit(const FamilySpec& family, std::string_view series_key) {
  const std::lock_guard lock(mutex_);
  const auto entry = by_spec_.find(&family);
  if (entry == by_spec_.end()) return false;
  auto& holders = entry->second->holders;
  if (const auto held = holders.find(series_key); held != holders.end()) {
    ++held->second;
    return true;
  }
  if (holders.size() >= max_series_) return false;
  holders.emplace(series_key, 1);
  return true;
}

void Catalog::release(const FamilySpec& family, std::string_view series_key) {
  const std::lock_guard lock(mutex_);
  const auto entry = by_spec_.find(&family);
  if (entry == by_spec_.end()) return;
  auto& holders = entry->second->holders;
  const auto held = holders.find(series_key);
  if (held != holders.end() && --held->second == 0) holders.erase(held);
}

}  // namespace metricsd
