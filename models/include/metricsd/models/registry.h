// The registry: families of series, each series with its kind's state. Pure state: no clock, no policy, no
// I/O.
//
//   Family<Counter>& requests = *registry.define<Counter>(spec).value();
//   requests.at(values, now).apply(std::uint64_t{1});
//   Snapshot snapshot = registry.snapshot(now.wall);
//
// Each shard owns one; an image() of it may cross threads and is merged with the others' before it is shown.
#pragma once

#include <metricsd/models/catalog.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/family.h>
#include <metricsd/models/kinds/kinds.h>
#include <metricsd/models/snapshot.h>
#include <metricsd/models/string_table.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace metricsd {

// A moment by both clocks.
struct Moment {
  Timestamp wall;
  std::int64_t monotonic_ns = 0;
};

template <class K>
struct Series {
  std::shared_ptr<const LabelValues> labels;
  Timestamp created;
  std::int64_t touched_ns = 0;  // monotonic; for expiry
  bool overflow = false;        // the one that others folded into
  K state;

  // Somebody told of it at this moment.
  void touch(const Moment& now) { touched_ns = now.monotonic_ns; }
};

// All series of one family. One thread.
template <class K>
class Family {
 public:
  using Table = StringTable<std::unique_ptr<Series<K>>>;

  Family(std::shared_ptr<const FamilySpec> spec, std::shared_ptr<Catalog> catalog);

  // The state of the series with these values (as many as the spec has label names), made where there is room
  // for it, else the overflow series'. The reference holds until the series expires.
  K& at(std::span<const std::string_view> values, const Moment& now);
  // The same for values that live in strings.
  K& at(const LabelValues& values, const Moment& now);
  // The series that holds this state, for who keeps it between operations. It stays where it is while
  // generation() stays the same; who applies to its state by himself touches it too. An overflow series
  // (`overflow`) is not to be kept: these values may find room later, and each try is counted.
  Series<K>& series_at(std::span<const std::string_view> values, const Moment& now);
  // Grows whenever a series goes.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  // The state where there is one, and the overflow series' that these values fold into; else null.
  [[nodiscard]] K* find(std::span<const std::string_view> values);
  [[nodiscard]] K* find_overflow(std::span<const std::string_view> values);

  // A copy that holds no place in the catalog: for merging and showing.
  [[nodiscard]] Family image() const;
  void merge(const Family& other);
  // The keys of series that nobody touched since `before_ns` (monotonic) and nobody holds.
  [[nodiscard]] std::vector<std::string> idle(std::int64_t before_ns) const;
  // Lets those of these go that are still idle.
  void forget(const std::vector<std::string>& keys, std::int64_t before_ns);
  [[nodiscard]] FamilySnapshot snapshot() const;

  [[nodiscard]] const FamilySpec& spec() const { return *spec_; }
  [[nodiscard]] const Table& series() const { return series_; }
  [[nodiscard]] Table& series() { return series_; }

 private:
  Series<K>& open(std::span<const std::string_view> values, const Moment& now);
  Series<K>& open_overflow(std::span<const std::string_view> values, const Moment& now);
  Series<K>& add(std::string key, LabelValues labels, const Moment& now);

  std::shared_ptr<const FamilySpec> spec_;
  std::shared_ptr<Catalog> catalog_;  // null in an image
  Table series_;
  std::uint64_t generation_ = 0;
  std::string key_;  // reused, so that finding a series allocates nothing
};

// Keys of series, by the spec their family shares over all shards.
using SeriesKeys = std::unordered_map<const FamilySpec*, std::vector<std::string>>;

// One thread; an image may be handed to another.
class Registry {
 public:
  explicit Registry(std::shared_ptr<Catalog> catalog) : catalog_(std::move(catalog)) {}

  // Errors as Catalog::define. The pointer holds as long as the registry.
  template <class K>
  [[nodiscard]] Result<Family<K>*> define(FamilySpec spec, Room room = Room::own);

  // A copy of the state that holds no place in the catalog: for merging and showing.
  [[nodiscard]] Registry image() const;
  // Adds the state of a registry of the same catalog, or an image of one.
  void merge(const Registry& other);
  // The same for one that is not needed any more: families that it alone has are taken over, not copied.
  void merge(Registry&& other);

  // Expiry takes two steps, so that a series goes in all shards or in none: what is idle in the merge of all,
  // then forgetting that in each.
  [[nodiscard]] SeriesKeys idle(std::int64_t before_ns) const;
  void forget(const SeriesKeys& keys, std::int64_t before_ns);

  [[nodiscard]] Snapshot snapshot(Timestamp now) const;

 private:
  using AnyFamily = VariantOfKinds<Family>;

  Registry() = default;

  std::shared_ptr<Catalog> catalog_;  // null in an image
  std::vector<std::unique_ptr<AnyFamily>> families_;
  std::unordered_map<const FamilySpec*, AnyFamily*> by_spec_;
};

}  // namespace metricsd
