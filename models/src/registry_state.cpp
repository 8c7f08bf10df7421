// The state of a registry as bytes:
//
//   save   = whole (u8: 1 or 0), count, families     whole: what is not named is not there
//   family = spec, room (u8), whole (u8), refused (u64), gone, count, series
//   gone   = count, keys (text)                      none where the family is whole
//   series = key, overflow (u8), created (i64: since the one before), idle (u64: ns since it was touched),
//   state
//
// The series come in the order of their slots: those made one after the other have nearly the same moment.
#include <metricsd/models/labels.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/registry.h>
#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>
#include <metricsd/models/utf8.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

namespace metricsd {
namespace {

constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

// Key, overflow, created, idle and a state: each is a byte at least.
constexpr std::size_t kLeastSeries = 5;

// Whether a family with so many labels can have a series of this key.
bool is_key(std::string_view key, std::size_t labels) {
  for (; labels > 0; --labels) {
    if (key.find(kValueEnd) == key.npos) return false;
    const std::string_view value = take_value(key);
    if (value.size() > limits::kLabelValue || !is_valid_utf8(value)) return false;
  }
  return key.empty();
}

// Of any two: a time that makes no sense is none of ours, but no trouble either.
std::int64_t difference(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

std::int64_t sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

std::uint64_t idle_ns(std::int64_t touched_ns, const Moment& now) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(now.monotonic_ns - touched_ns, 0));
}

std::int64_t touched_ns(std::uint64_t idle_ns, const Moment& now) {
  constexpr std::uint64_t kLongest = std::numeric_limits<std::int64_t>::max() / 2;
  return now.monotonic_ns - static_cast<std::int64_t>(std::min(idle_ns, kLongest));
}

}  // namespace

template <class K>
void Family<K>::save_all(StateWriter& out, const Moment& now) {
  out.u8(1);
  out.u64(refused_);
  out.u64(0);
  out.u64(series_.size());
  std::int64_t created_ns = 0;
  for (std::uint32_t slot = 0; slot < series_.end(); ++slot) {
    if (series_.holds(slot)) save(out, slot, created_ns, now);
  }
  end_save();
}

template <class K>
void Family<K>::save_changed(StateWriter& out, const Moment& now) {
  if (!is_saved_) return save_all(out, now);
  out.u8(0);
  out.u64(refused_);
  out.u64(gone_count_);
  out.bytes(gone_);
  out.u64(changed_.count());
  std::int64_t created_ns = 0;
  changed_.for_each([&](std::uint32_t slot) { save(out, slot, created_ns, now); });
  end_save();
}

template <class K>
void Family<K>::save(StateWriter& out, std::uint32_t slot, std::int64_t& created_ns,
                     const Moment& now) const {
  const Series<K>& series = series_[slot];
  out.text(series.key->text());
  out.u8(series.is_overflow() ? 1 : 0);
  out.i64(difference(series.created.ns, created_ns));
  created_ns = series.created.ns;
  out.u64(idle_ns(series.touched_ns, now));
  series.state.save(out);
}

template <class K>
void Family<K>::end_save() {
  changed_.clear();
  forget_gone();
  is_saved_ = true;
}

template <class K>
std::size_t Family<K>::clear() {
  const std::size_t before = series_.size();
  for (std::uint32_t slot = 0; slot < series_.end(); ++slot) {
    if (series_.holds(slot)) remove(slot);
  }
  return before;
}

template <class K>
void Family<K>::load(StateReader& in, const Moment& now, LoadReport& report) {
  if (in.u8() != 0) report.gone += clear();
  refused_ = in.u64();
  for (std::size_t left = in.count(kAny, 1); left > 0 && !in.failed(); --left) {
    const std::uint32_t slot = index_.find(in.text(KeyPool::kMaxSize), text_of());
    if (slot == KeyIndex::kNone) continue;
    remove(slot);
    ++report.gone;
  }
  LoadPlace before;
  for (std::size_t left = in.count(kAny, kLeastSeries); left > 0 && !in.failed(); --left) {
    load_series(in, before, now, report);
  }
}

template <class K>
void Family<K>::load_series(StateReader& in, LoadPlace& before, const Moment& now, LoadReport& report) {
  const std::string_view key = in.text(KeyPool::kMaxSize);
  const bool is_overflow = in.u8() != 0;
  before.created_ns = sum(before.created_ns, in.i64());
  const std::uint64_t idle = in.u64();
  if (in.failed()) return;
  const std::uint32_t slot = place(key, is_overflow, before.slot + 1, now, report);
  before.slot = slot;
  if (slot == KeyIndex::kNone) return K(spec_).load(in);
  Series<K>& series = series_[slot];
  series.created = {before.created_ns};
  series.touched_ns = touched_ns(idle, now);
  series.state.load(in);
  changed_.mark(slot);
  ++report.series;
}

// Where a series of this key is, or comes; kNone, and counted, where it is left out. What is kept in step
// mostly has the same order: then it is in the slot `next`, and there is nothing to look for.
template <class K>
std::uint32_t Family<K>::place(std::string_view key, bool is_overflow, std::uint32_t next, const Moment& now,
                               LoadReport& report) {
  if (next < series_.end() && series_.holds(next) && series_[next].key->text() == key) return next;
  if (!is_key(key, spec_->label_names.size())) {
    ++report.malformed;
    return KeyIndex::kNone;
  }
  const std::uint32_t slot = slot_for(key, is_overflow, now);
  if (slot == KeyIndex::kNone) ++report.no_room;
  return slot;
}

// The slot of this key, made where there is room for it, or kNone.
template <class K>
std::uint32_t Family<K>::slot_for(std::string_view key, bool is_overflow, const Moment& now) {
  const std::uint32_t known = index_.find(key, text_of());
  if (known != KeyIndex::kNone) return known;
  const StoredKey* const stored =
      is_overflow ? catalog_->admit_overflow(*spec_, key) : catalog_->admit(*spec_, key);
  return stored == nullptr ? KeyIndex::kNone : add(stored, now);
}

template <class K>
void Family<K>::merge(const Family& other, LoadReport& report) {
  count_refused(other.refused_);
  std::vector<std::string_view> values;
  for (std::uint32_t from = 0; from < other.series_.end(); ++from) {
    if (!other.series_.holds(from)) continue;
    const Series<K>& theirs = other.series_[from];
    const Moment then{theirs.created, theirs.touched_ns};
    std::uint32_t slot = slot_for(theirs.key->text(), theirs.is_overflow(), then);
    if (slot == KeyIndex::kNone) {
      view_values_of(theirs.key->text(), values);
      slot = overflow_slot(values, then);
      ++report.no_room;
    }
    Series<K>& ours = series_[slot];
    ours.created = std::min(ours.created, theirs.created);
    ours.touched_ns = std::max(ours.touched_ns, theirs.touched_ns);
    if constexpr (K::kKind != Kind::gauge) ours.state.merge(theirs.state);
    changed_.mark(slot);
    ++report.series;
  }
}

void Registry::save_all(StateWriter& out, const Moment& now) {
  out.u8(1);
  out.u64(families_.size());
  for (const auto& any : families_) save_family(out, *any, now, true);
}

void Registry::save_changed(StateWriter& out, const Moment& now) {
  const auto has_changed = [](const auto& any) {
    return std::visit([](const auto& family) { return family.has_changed(); }, *any);
  };
  out.u8(0);
  out.u64(static_cast<std::uint64_t>(std::count_if(families_.begin(), families_.end(), has_changed)));
  for (const auto& any : families_) {
    if (has_changed(any)) save_family(out, *any, now, false);
  }
}

void Registry::save_family(StateWriter& out, AnyFamily& any, const Moment& now, bool whole) {
  std::visit(
      [&](auto& family) {
        save(out, family.spec());
        out.u8(static_cast<std::uint8_t>(family.room()));
        whole ? family.save_all(out, now) : family.save_changed(out, now);
      },
      any);
}

Result<LoadReport> Registry::load(StateReader& in, const Moment& now) {
  LoadReport report;
  if (in.u8() != 0) {
    for (const auto& any : families_) {
      std::visit([&report](auto& family) { report.gone += family.clear(); }, *any);
    }
  }
  for (std::size_t left = in.count(limits::kFamilies, 1); left > 0 && !in.failed(); --left) {
    load_family(in, now, report);
  }
  if (in.failed()) return Errc::corrupt_state;
  return report;
}

void Registry::load_family(StateReader& in, const Moment& now, LoadReport& report) {
  FamilySpec spec = load_family_spec(in);
  const std::uint8_t room = in.u8();
  if (room > static_cast<std::uint8_t>(Room::common)) in.fail();
  if (in.failed()) return;
  switch (spec.kind) {
    case Kind::counter: return load_family<Counter>(std::move(spec), Room{room}, in, now, report);
    case Kind::gauge: return load_family<Gauge>(std::move(spec), Room{room}, in, now, report);
    case Kind::histogram: return load_family<Histogram>(std::move(spec), Room{room}, in, now, report);
  }
}

template <class K>
void Registry::load_family(FamilySpec spec, Room room, StateReader& in, const Moment& now,
                           LoadReport& report) {
  const Result<Family<K>*> family = define<K>(spec, room);
  if (family) return (*family)->load(in, now, report);
  // Read past it: into a registry where nothing is in its way.
  Registry aside(std::make_shared<Catalog>(kAny));
  LoadReport left_out;
  if (const auto apart = aside.define<K>(std::move(spec), room)) (*apart)->load(in, now, left_out);
  report.conflicting += left_out.series;
}

LoadReport Registry::merge(const Registry& other) {
  LoadReport report;
  for (const auto& any : other.families_) {
    std::visit(
        [&]<class K>(const Family<K>& theirs) {
          if (const auto ours = define<K>(theirs.spec(), theirs.room())) {
            (*ours)->merge(theirs, report);
          } else {
            report.conflicting += theirs.size();
          }
        },
        *any);
  }
  return report;
}

}  // namespace metricsd
