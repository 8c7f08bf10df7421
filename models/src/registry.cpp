#include <metricsd/models/registry.h>

#include <algorithm>

namespace metricsd {
namespace {

LabelValues overflow_labels(const FamilySpec& spec, std::span<const std::string_view> values) {
  LabelValues labels;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool kept = spec.label_names[i] == spec.kept_label;
    labels.emplace_back(kept ? values[i] : kOverflowLabel);
  }
  return labels;
}

}  // namespace

template <class K>
Family<K>::Family(std::shared_ptr<const FamilySpec> spec, std::shared_ptr<Catalog> catalog)
    : spec_(std::move(spec)), catalog_(std::move(catalog)) {}

template <class K>
Series<K>& Family<K>::series_at(std::span<const std::string_view> values, const Moment& now) {
  key_.clear();
  append_series_key(key_, values);
  const auto known = series_.find(std::string_view(key_));
  Series<K>& series = known != series_.end() ? *known->second : open(values, now);
  series.touch(now);
  return series;
}

template <class K>
K& Family<K>::at(std::span<const std::string_view> values, const Moment& now) {
  return series_at(values, now).state;
}

template <class K>
K& Family<K>::at(const LabelValues& values, const Moment& now) {
  const std::vector<std::string_view> views(values.begin(), values.end());
  return at(views, now);
}

template <class K>
K* Family<K>::find(std::span<const std::string_view> values) {
  key_.clear();
  append_series_key(key_, values);
  const auto known = series_.find(std::string_view(key_));
  return known == series_.end() ? nullptr : &known->second->state;
}

template <class K>
K* Family<K>::find_overflow(std::span<const std::string_view> values) {
  const LabelValues labels = overflow_labels(*spec_, values);
  return find(std::vector<std::string_view>(labels.begin(), labels.end()));
}

template <class K>
Series<K>& Family<K>::open(std::span<const std::string_view> values, const Moment& now) {
  if (!catalog_->admit(*spec_, key_)) return open_overflow(values, now);
  return add(key_, LabelValues(values.begin(), values.end()), now);
}

template <class K>
Series<K>& Family<K>::open_overflow(std::span<const std::string_view> values, const Moment& now) {
  LabelValues labels = overflow_labels(*spec_, values);
  const std::vector<std::string_view> views(labels.begin(), labels.end());
  key_.clear();
  append_series_key(key_, views);
  const auto known = series_.find(std::string_view(key_));
  if (known != series_.end()) return *known->second;
  Series<K>& series = add(key_, std::move(labels), now);
  series.overflow = true;
  return series;
}

template <class K>
Series<K>& Family<K>::add(std::string key, LabelValues labels, const Moment& now) {
  auto series = std::make_unique<Series<K>>(Series<K>{std::make_shared<const LabelValues>(std::move(labels)),
                                                      now.wall, now.monotonic_ns, false, K(spec_)});
  return *series_.emplace(std::move(key), std::move(series)).first->second;
}

template <class K>
Family<K> Family<K>::image() const {
  Family copy(spec_, nullptr);
  copy.merge(*this);
  return copy;
}

template <class K>
void Family<K>::merge(const Family& other) {
  series_.reserve(other.series_.size());
  for (const auto& [key, theirs] : other.series_) {
    const auto [at, is_new] = series_.try_emplace(key);
    if (is_new) {
      at->second = std::make_unique<Series<K>>(*theirs);
      continue;
    }
    Series<K>& ours = *at->second;
    ours.state.merge(theirs->state);
    ours.created = std::min(ours.created, theirs->created);
    ours.touched_ns = std::max(ours.touched_ns, theirs->touched_ns);
  }
}

template <class K>
std::vector<std::string> Family<K>::idle(std::int64_t before_ns) const {
  std::vector<std::string> keys;
  for (const auto& [key, series] : series_) {
    if (series->touched_ns < before_ns && !series->state.is_held()) keys.push_back(key);
  }
  return keys;
}

template <class K>
void Family<K>::forget(const std::vector<std::string>& keys, std::int64_t before_ns) {
  for (const std::string& key : keys) {
    const auto found = series_.find(std::string_view(key));
    if (found == series_.end() || found->second->touched_ns >= before_ns) continue;
    if (catalog_ != nullptr && !found->second->overflow) catalog_->release(*spec_, key);
    series_.erase(found);
    ++generation_;
  }
}

template <class K>
FamilySnapshot Family<K>::snapshot() const {
  FamilySnapshot out{spec_, {}};
  out.series.reserve(series_.size());
  for (const auto& [key, series] : series_) {
    if (std::optional<Shape> shape = series->state.show()) {
      out.series.push_back({series->labels, series->created, std::move(*shape)});
    }
  }
  std::sort(out.series.begin(), out.series.end(),
            [](const SeriesSnapshot& a, const SeriesSnapshot& b) { return *a.labels < *b.labels; });
  return out;
}

template class Family<Counter>;
template class Family<Gauge>;
template class Family<Histogram>;

template <class K>
Result<Family<K>*> Registry::define(FamilySpec spec, Room room) {
  spec.kind = K::kKind;
  const auto shared = catalog_->define(std::move(spec), room);
  if (!shared) return shared.error();
  AnyFamily*& family = by_spec_[shared->get()];
  if (family == nullptr) {
    families_.push_back(std::make_unique<AnyFamily>(Family<K>(*shared, catalog_)));
    family = families_.back().get();
  }
  return &std::get<Family<K>>(*family);
}

template Result<Family<Counter>*> Registry::define<Counter>(FamilySpec spec, Room room);
template Result<Family<Gauge>*> Registry::define<Gauge>(FamilySpec spec, Room room);
template Result<Family<Histogram>*> Registry::define<Histogram>(FamilySpec spec, Room room);

Registry Registry::image() const {
  Registry copy;
  copy.merge(*this);
  return copy;
}

void Registry::merge(const Registry& other) {
  for (const auto& theirs : other.families_) {
    std::visit(
        [this](const auto& family) {
          AnyFamily*& ours = by_spec_[&family.spec()];
          if (ours == nullptr) {
            families_.push_back(std::make_unique<AnyFamily>(family.image()));
            ours = families_.back().get();
          } else {
            std::get<std::decay_t<decltype(family)>>(*ours).merge(family);
          }
        },
        *theirs);
  }
}

void Registry::merge(Registry&& other) {
  for (auto& theirs : other.families_) {
    std::visit(
        [this, &theirs](const auto& family) {
          AnyFamily*& ours = by_spec_[&family.spec()];
          if (ours == nullptr) {
            ours = theirs.get();
            families_.push_back(std::move(theirs));
          } else {
            std::get<std::decay_t<decltype(family)>>(*ours).merge(family);
          }
        },
        *theirs);
  }
  other.families_.clear();
  other.by_spec_.clear();
}

SeriesKeys Registry::idle(std::int64_t before_ns) const {
  SeriesKeys keys;
  for (const auto& any : families_) {
    std::visit(
        [&keys, before_ns](const auto& family) {
          std::vector<std::string> idle = family.idle(before_ns);
          if (!idle.empty()) keys.emplace(&family.spec(), std::move(idle));
        },
        *any);
  }
  return keys;
}

void Registry::forget(const SeriesKeys& keys, std::int64_t before_ns) {
  for (const auto& [spec, idle] : keys) {
    const auto found = by_spec_.find(spec);
    if (found == by_spec_.end()) continue;
    std::visit([&, &gone = idle](auto& family) { family.forget(gone, before_ns); }, *found->second);
  }
}

Snapshot Registry::snapshot(Timestamp now) const {
  Snapshot out{now, {}};
  out.families.reserve(families_.size());
  for (const auto& any : families_) {
    std::visit([&out](const auto& family) { out.families.push_back(family.snapshot()); }, *any);
  }
  std::sort(out.families.begin(), out.families.end(), [](const FamilySnapshot& a, const FamilySnapshot& b) {
    return exposition_name(*a.spec) < exposition_name(*b.spec);
  });
  return out;
}

}  // namespace metricsd
