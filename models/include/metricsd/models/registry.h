// The registry: families of series, each series with its kind's state. Pure state: no clock, no policy, no
// I/O.
//
//   Family<Counter>& requests = *registry.define<Counter>(spec).value();
//   requests.at(values, now).apply(std::uint64_t{1});
//   Snapshot snapshot = registry.image().snapshot(now.wall);
//
// Each shard owns one; an image() of it may cross threads and is merged with the others' before it is shown.
//
// What it holds can be saved, whole and then again and again what changed, and loaded elsewhere:
//
//   registry.save_all(first, now);           registry.save_changed(next, later);
//   copy.load(first, now); copy.load(next, later);  // equal, figure by figure
#pragma once

#include <metricsd/models/catalog.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/family.h>
#include <metricsd/models/key_index.h>
#include <metricsd/models/key_pool.h>
#include <metricsd/models/kinds/kinds.h>
#include <metricsd/models/registry_image.h>
#include <metricsd/models/series_order.h>
#include <metricsd/models/slot_marks.h>
#include <metricsd/models/slots.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace metricsd {

class StateReader;
class StateWriter;

// A moment by both clocks.
struct Moment {
  Timestamp wall;
  std::int64_t monotonic_ns = 0;
};

template <class K>
struct Series {
  const StoredKey* key;  // the catalog's
  Timestamp created;
  std::int64_t touched_ns;  // monotonic; for expiry
  K state;

  // Whether it is the one that others fold into.
  [[nodiscard]] bool is_overflow() const { return key->is_overflow(); }
};

// A series, for who keeps it between operations.
template <class K>
struct SeriesHandle {
  Series<K>* series = nullptr;
  std::uint32_t slot = 0;  // of its family: for touch()

  Series<K>* operator->() const { return series; }
};

// What loading, or merging, came to.
struct LoadReport {
  std::uint64_t series = 0;       // taken over
  std::uint64_t gone = 0;         // let go
  std::uint64_t no_room = 0;      // the catalog's cap was reached: load() left them out, merge() folded them
  std::uint64_t conflicting = 0;  // left out: their family is defined otherwise here
  std::uint64_t malformed = 0;    // left out: no series of their family can have such labels
};

// All series of one family. One thread.
template <class K>
class Family {
 public:
  Family(std::shared_ptr<const FamilySpec> spec, std::shared_ptr<Catalog> catalog, Room room);

  // The state of the series with these values (as many as the spec has label names), made where there is room
  // for it, else the overflow series'. The reference holds until the series expires.
  K& at(std::span<const std::string_view> values, const Moment& now);
  // The same for values that live in strings.
  K& at(const LabelValues& values, const Moment& now);
  // The series that holds this state, for who keeps it between operations. It stays where it is while
  // generation() stays the same; who applies to its state by himself calls touch() too, before the next save.
  // An overflow series (is_overflow()) is kept for moments only: these values may find room later.
  SeriesHandle<K> series_at(std::span<const std::string_view> values, const Moment& now);
  // Somebody told of it at this moment: it does not expire, and is saved with what changed.
  void touch(const SeriesHandle<K>& handle, const Moment& now) {
    handle.series->touched_ns = now.monotonic_ns;
    changed_.mark(handle.slot);
  }
  // Observations that went to an overflow series which was kept.
  void count_refused(std::uint64_t observations) {
    refused_ += observations;
    catalog_->count_refused(*spec_, observations);
  }
  // Grows whenever a series goes.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  // The state where there is one, and the overflow series' that these values fold into; else null. It is
  // saved with what changed, but not touched.
  [[nodiscard]] K* find(std::span<const std::string_view> values);
  [[nodiscard]] K* find_overflow(std::span<const std::string_view> values);

  // Calls `visit` with each state, which says whether it changed it; no series comes or goes meanwhile.
  template <class Visit>
  void change_each(const Visit& visit) {
    for (std::uint32_t slot = 0; slot < series_.end(); ++slot) {
      if (series_.holds(slot) && visit(series_[slot].state)) changed_.mark(slot);
    }
  }
  [[nodiscard]] std::size_t size() const { return series_.size(); }

  // Takes those from the list that somebody touched since `before_ns` (monotonic).
  void strike_touched(std::vector<std::string>& keys, std::int64_t before_ns) const;
  // Lets those of these go that nobody touched since `before_ns`.
  void forget(const std::vector<std::string>& keys, std::int64_t before_ns);

  // As Registry's, of this family alone.
  void save_all(StateWriter& out, const Moment& now);
  void save_changed(StateWriter& out, const Moment& now);
  [[nodiscard]] bool has_changed() const { return !is_saved_ || gone_count_ > 0 || changed_.count() > 0; }
  void load(StateReader& in, const Moment& now, LoadReport& report);
  void merge(const Family& other, LoadReport& report);
  // All series go; how many there were.
  std::size_t clear();

  [[nodiscard]] const FamilySpec& spec() const { return *spec_; }
  [[nodiscard]] Room room() const { return room_; }

 private:
  friend class RegistryCopier;

  [[nodiscard]] std::uint32_t slot_of_key() const { return index_.find(key_, text_of()); }
  std::uint32_t open(std::span<const std::string_view> values, const Moment& now);
  std::uint32_t overflow_slot(std::span<const std::string_view> values, const Moment& now);
  std::uint32_t add(const StoredKey* key, const Moment& now);
  void remove(std::uint32_t slot);
  void note_gone(std::string_view key);
  K* find_changing();

  // The series that was loaded before.
  struct LoadPlace {
    std::uint32_t slot = KeyIndex::kNone;
    std::int64_t created_ns = 0;
  };

  void save(StateWriter& out, std::uint32_t slot, std::int64_t& created_ns, const Moment& now) const;
  void end_save();
  void forget_gone();
  void load_series(StateReader& in, LoadPlace& before, const Moment& now, LoadReport& report);
  [[nodiscard]] std::uint32_t place(std::string_view key, bool is_overflow, std::uint32_t next,
                                    const Moment& now, LoadReport& report);
  [[nodiscard]] std::uint32_t slot_for(std::string_view key, bool is_overflow, const Moment& now);
  [[nodiscard]] auto text_of() const {
    return [this](std::uint32_t slot) { return series_[slot].key->text(); };
  }

  std::shared_ptr<const FamilySpec> spec_;
  std::shared_ptr<Catalog> catalog_;
  Room room_;
  Slots<Series<K>> series_;
  KeyIndex index_;  // of slots
  std::uint64_t generation_ = 0;
  std::uint64_t layout_ = 0;  // grows whenever a slot gets another series, or none
  std::shared_ptr<SeriesOrder> order_ = std::make_shared<SeriesOrder>();
  std::string key_;  // reused, so that finding a series allocates nothing

  std::uint64_t refused_ = 0;  // observations that went to an overflow series
  SlotMarks changed_;          // series of which somebody told since the last save
  std::string gone_;           // keys of those that went since, as they are saved
  std::uint64_t gone_count_ = 0;
  bool is_saved_ = false;  // in step: a save_changed() may follow
};

// One thread.
class Registry {
 public:
  explicit Registry(std::shared_ptr<Catalog> catalog) : catalog_(std::move(catalog)) {}

  // Errors as Catalog::define. The pointer holds as long as the registry.
  template <class K>
  [[nodiscard]] Result<Family<K>*> define(FamilySpec spec, Room room = Room::own);

  // A copy of the state.
  [[nodiscard]] RegistryImage image(Detail detail = Detail::all) const;

  // Appends the state of all series, whole. What was loaded from it is in step: save_changed() goes on from
  // here.
  void save_all(StateWriter& out, const Moment& now);
  // Appends the series that changed since the last save, whole and absolute, and the keys of those gone
  // since. Costs what changed, not what is there. Every save must be loaded, in order, by who keeps up with
  // them; if one is lost, the next is to be a save_all().
  void save_changed(StateWriter& out, const Moment& now);

  // Takes over what one save says, which need not be all there is to read: its states replace those of the
  // same keys, what has gone goes, and a whole one leaves nothing else. `now` is when it was saved, or as if:
  // each series was touched as long before it as it was then. What does not fit (series that the catalog has
  // no room for, families that it knows otherwise) is counted and left out. Errc::corrupt_state where no
  // registry saved these bytes: then part of it may be taken over, and the registry is to be thrown away.
  Result<LoadReport> load(StateReader& in, const Moment& now);

  // Adds what another registry holds, of any catalog: sums add; what finds no room counts in the overflow
  // series, as if it had been told here, and in the report. Gauges come without values: their owners are not
  // here.
  LoadReport merge(const Registry& other);

  // Expiry takes three steps, so that a series goes in all shards or in none: what is idle in the merged
  // image of all; striking what was touched in one of them meanwhile; and, before any of them is touched
  // again, forgetting the rest in each.
  void strike_touched(SeriesKeys& keys, std::int64_t before_ns) const;
  void forget(const SeriesKeys& keys, std::int64_t before_ns);

 private:
  friend class RegistryCopier;

  using AnyFamily = VariantOfKinds<Family>;

  static void save_family(StateWriter& out, AnyFamily& any, const Moment& now, bool whole);
  void load_family(StateReader& in, const Moment& now, LoadReport& report);
  template <class K>
  void load_family(FamilySpec spec, Room room, StateReader& in, const Moment& now, LoadReport& report);

  std::shared_ptr<Catalog> catalog_;
  std::vector<std::unique_ptr<AnyFamily>> families_;
  std::unordered_map<const FamilySpec*, AnyFamily*> by_spec_;
};

// Makes an image by and by, so that what the registry is for need not wait for all of it. Between two steps
// the registry may change: each series is copied whole, as it was at one moment, each series that was there
// from the first step to the last is copied once; that two series are of the same moment holds only of an
// image made in one step.
class RegistryCopier {
 public:
  // `registry` outlives the copier, on its thread.
  explicit RegistryCopier(const Registry& registry, Detail detail = Detail::all)
      : registry_(registry), detail_(detail) {}

  // Copies about as many series as `series` says, more than none. False once all is copied.
  bool copy(std::size_t series);
  // When all is copied.
  [[nodiscard]] RegistryImage take() { return std::move(image_); }

 private:
  template <class K>
  void start(const Family<K>& family);
  template <class K>
  std::size_t copy(const Family<K>& family, std::size_t series);
  void abandon();

  const Registry& registry_;
  const Detail detail_;
  RegistryImage image_;
  std::size_t family_ = 0;  // the one at hand
  bool is_started_ = false;
  std::uint32_t slot_ = 0;        // of the family: the next one
  std::uint64_t generation_ = 0;  // of the family, when it was started
  std::uint64_t layout_ = 0;      // likewise
};

}  // namespace metricsd
