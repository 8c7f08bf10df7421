#include <metricsd/models/limits.h>
#include <metricsd/models/registry.h>
#include <metricsd/models/state/state_writer.h>

#include <limits>
#include <utility>

namespace metricsd {
namespace {

// A value too long for a key is not kept either.
std::vector<std::string_view> overflow_labels(const FamilySpec& spec,
                                              std::span<const std::string_view> values) {
  std::vector<std::string_view> labels;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool kept = spec.label_names[i] == spec.kept_label && values[i].size() <= limits::kLabelValue;
    labels.push_back(kept ? values[i] : kOverflowLabel);
  }
  return labels;
}

template <class K>
K copy_of(const K& state, Detail detail) {
  if constexpr (K::kKind == Kind::histogram) {
    if (detail == Detail::classic) return state.without_exponential();
  }
  return state;
}

}  // namespace

template <class K>
Family<K>::Family(std::shared_ptr<const FamilySpec> spec, std::shared_ptr<Catalog> catalog, Room room)
    : spec_(std::move(spec)), catalog_(std::move(catalog)), room_(room) {}

template <class K>
SeriesHandle<K> Family<K>::series_at(std::span<const std::string_view> values, const Moment& now) {
  key_.clear();
  append_series_key(key_, values);
  const std::uint32_t known = slot_of_key();
  const std::uint32_t slot = known != KeyIndex::kNone ? known : open(values, now);
  const SeriesHandle<K> handle{&series_[slot], slot};
  touch(handle, now);
  return handle;
}

template <class K>
K& Family<K>::at(std::span<const std::string_view> values, const Moment& now) {
  return series_at(values, now)->state;
}

template <class K>
K& Family<K>::at(const LabelValues& values, const Moment& now) {
  const std::vector<std::string_view> views(values.begin(), values.end());
  return at(views, now);
}

// The state of the series of key_, or null.
template <class K>
K* Family<K>::find_changing() {
  const std::uint32_t slot = slot_of_key();
  if (slot == KeyIndex::kNone) return nullptr;
  changed_.mark(slot);
  return &series_[slot].state;
}

template <class K>
K* Family<K>::find(std::span<const std::string_view> values) {
  key_.clear();
  append_series_key(key_, values);
  return find_changing();
}

template <class K>
K* Family<K>::find_overflow(std::span<const std::string_view> values) {
  return find(overflow_labels(*spec_, values));
}

// Of a key_ that is not there: its slot, or that of what it folds into.
template <class K>
std::uint32_t Family<K>::open(std::span<const std::string_view> values, const Moment& now) {
  const StoredKey* const key = catalog_->admit(*spec_, key_);
  if (key != nullptr) return add(key, now);
  ++refused_;
  return overflow_slot(values, now);
}

template <class K>
std::uint32_t Family<K>::overflow_slot(std::span<const std::string_view> values, const Moment& now) {
  key_.clear();
  append_series_key(key_, overflow_labels(*spec_, values));
  const std::uint32_t known = slot_of_key();
  return known != KeyIndex::kNone ? known : add(catalog_->admit_overflow(*spec_, key_), now);
}

template <class K>
std::uint32_t Family<K>::add(const StoredKey* key, const Moment& now) {
  if (series_.reuses()) ++layout_;
  const std::uint32_t slot = series_.add({key, now.wall, now.monotonic_ns, K(spec_)});
  index_.insert(slot, text_of());
  changed_.cover(series_.end());
  changed_.mark(slot);
  return slot;
}

template <class K>
void Family<K>::strike_touched(std::vector<std::string>& keys, std::int64_t before_ns) const {
  std::erase_if(keys, [&](const std::string& key) {
    const std::uint32_t slot = index_.find(key, text_of());
    return slot != KeyIndex::kNone && series_[slot].touched_ns >= before_ns;
  });
}

template <class K>
void Family<K>::forget(const std::vector<std::string>& keys, std::int64_t before_ns) {
  for (const std::string& key : keys) {
    const std::uint32_t slot = index_.find(key, text_of());
    if (slot != KeyIndex::kNone && series_[slot].touched_ns < before_ns) remove(slot);
  }
}

template <class K>
void Family<K>::remove(std::uint32_t slot) {
  const StoredKey* const stored = series_[slot].key;
  const std::string_view key = stored->text();
  if (is_saved_) note_gone(key);
  index_.erase(key, text_of());
  series_.erase(slot);
  changed_.unmark(slot);
  if (stored->is_overflow()) {
    catalog_->release_overflow(*spec_, key);
  } else {
    catalog_->release(*spec_, key);
  }
  ++generation_;
  ++layout_;
}

// A list longer than what there is would be no shortcut: then the next save is whole.
template <class K>
void Family<K>::note_gone(std::string_view key) {
  if (++gone_count_ <= series_.end()) {
    StateWriter(gone_).text(key);
  } else {
    is_saved_ = false;
    forget_gone();
  }
}

template <class K>
void Family<K>::forget_gone() {
  gone_ = {};
  gone_count_ = 0;
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
    families_.push_back(std::make_unique<AnyFamily>(Family<K>(*shared, catalog_, room)));
    family = families_.back().get();
  }
  return &std::get<Family<K>>(*family);
}

template Result<Family<Counter>*> Registry::define<Counter>(FamilySpec spec, Room room);
template Result<Family<Gauge>*> Registry::define<Gauge>(FamilySpec spec, Room room);
template Result<Family<Histogram>*> Registry::define<Histogram>(FamilySpec spec, Room room);

RegistryImage Registry::image(Detail detail) const {
  RegistryCopier copier(*this, detail);
  while (copier.copy(std::numeric_limits<std::size_t>::max())) {
  }
  return copier.take();
}

void Registry::strike_touched(SeriesKeys& keys, std::int64_t before_ns) const {
  for (auto& [spec, idle] : keys) {
    const auto found = by_spec_.find(spec);
    if (found == by_spec_.end()) continue;
    std::visit([&, &left = idle](const auto& family) { family.strike_touched(left, before_ns); },
               *found->second);
  }
}

void Registry::forget(const SeriesKeys& keys, std::int64_t before_ns) {
  for (const auto& [spec, idle] : keys) {
    const auto found = by_spec_.find(spec);
    if (found == by_spec_.end()) continue;
    std::visit([&, &gone = idle](auto& family) { family.forget(gone, before_ns); }, *found->second);
  }
}

bool RegistryCopier::copy(std::size_t series) {
  while (series > 0 && family_ < registry_.families_.size()) {
    series -=
        std::visit([&](const auto& family) { return copy(family, series); }, *registry_.families_[family_]);
  }
  return family_ < registry_.families_.size();
}

// How many series of the family it copied.
template <class K>
std::size_t RegistryCopier::copy(const Family<K>& family, std::size_t series) {
  // What went and came back since would be there twice.
  if (is_started_ && family.generation_ != generation_) abandon();
  if (!is_started_) start(family);
  auto& image = std::get<FamilyImage<K>>(*image_.families_.back());
  const Slots<Series<K>>& slots = family.series_;
  std::size_t copied = 0;
  for (; slot_ < slots.end() && copied < series; ++slot_) {
    if (!slots.holds(slot_)) continue;
    const Series<K>& each = slots[slot_];
    image.add(each.key->text(), each.created, each.touched_ns, copy_of(each.state, detail_));
    ++copied;
  }
  if (slot_ < slots.end()) return copied;
  image.count_refused(family.refused_);
  if (family.layout_ != layout_) image.forget_order();
  ++family_;
  is_started_ = false;
  return copied;
}

template <class K>
void RegistryCopier::start(const Family<K>& family) {
  image_.families_.push_back(std::make_unique<RegistryImage::AnyFamily>(
      FamilyImage<K>(family.spec_, family.order_, family.layout_)));
  image_.by_spec_.emplace(family.spec_.get(), image_.families_.back().get());
  // Room for what comes meanwhile: growing moves all that is there.
  std::get<FamilyImage<K>>(*image_.families_.back()).reserve(family.size() + family.size() / 8);
  generation_ = family.generation_;
  layout_ = family.layout_;
  slot_ = 0;
  is_started_ = true;
}

void RegistryCopier::abandon() {
  std::visit([this](const auto& image) { image_.by_spec_.erase(&image.spec()); }, *image_.families_.back());
  image_.families_.pop_back();
  is_started_ = false;
}

}  // namespace metricsd
