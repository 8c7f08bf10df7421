// A copy of registries' state at one moment, or nearly so: for merging and showing, on any one thread.
//
//   RegistryImage image = registry.image();
//   image.merge(other_shard.image());
//   Snapshot snapshot = std::move(image).snapshot(now);
//
// It is flat: a list of states and one text of all keys for each family, so that the thread that owns the
// registry spends little on it. Merging and ordering are whose thread has the image.
#pragma once

#include <metricsd/models/family.h>
#include <metricsd/models/kinds/kinds.h>
#include <metricsd/models/series_order.h>
#include <metricsd/models/snapshot.h>
#include <metricsd/models/timestamp.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace metricsd {

template <class K>
struct SeriesImage {
  std::uint64_t key_begin;  // in the image's keys
  std::uint32_t key_size;
  Timestamp created;
  std::int64_t touched_ns;
  K state;
};

// What an image holds of each series.
enum class Detail : std::uint8_t {
  all,
  classic,  // without exponential buckets: what the text format shows, and much less to copy
};

// Keys of series, by the spec their family shares over all shards.
using SeriesKeys = std::unordered_map<const FamilySpec*, std::vector<std::string>>;

// Some of all series.
class SeriesChoice {
 public:
  virtual ~SeriesChoice() = default;
  // Whether some of this family are among them.
  [[nodiscard]] virtual bool has_some_of(const FamilySpec& family) const = 0;
  // Of such a family.
  [[nodiscard]] virtual bool has(const FamilySpec& family, std::string_view key) const = 0;
};

// All series of one family.
template <class K>
class FamilyImage {
 public:
  // `order` is the family's own, `layout` what it is to be asked with.
  FamilyImage(std::shared_ptr<const FamilySpec> spec, std::shared_ptr<SeriesOrder> order,
              std::uint64_t layout)
      : spec_(std::move(spec)), known_order_(std::move(order)), layout_(layout) {}

  void reserve(std::size_t series) { series_.reserve(series); }
  void add(std::string_view key, Timestamp created, std::int64_t touched_ns, K state);
  // Observations that found no room for a series of their own.
  void count_refused(std::uint64_t observations) { refused_ += observations; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  // The order is not as it is known under the layout.
  void forget_order() { known_order_ = std::make_shared<SeriesOrder>(); }

  void merge(FamilyImage&& other);
  // Takes out the series that nobody touched since `before_ns` (monotonic) and nobody holds, all or those of
  // a choice. Their keys.
  std::vector<std::string> take_idle(std::int64_t before_ns, const SeriesChoice* among = nullptr);
  [[nodiscard]] FamilySnapshot snapshot() &&;

  [[nodiscard]] const FamilySpec& spec() const { return *spec_; }
  [[nodiscard]] std::size_t size() const { return series_.size(); }

 private:
  [[nodiscard]] std::string_view key_of(const SeriesImage<K>& series) const {
    return std::string_view(keys_).substr(series.key_begin, series.key_size);
  }
  [[nodiscard]] SeriesOrder::Permutation order() const;

  std::shared_ptr<const FamilySpec> spec_;
  std::shared_ptr<SeriesOrder> known_order_;
  std::uint64_t layout_;
  std::uint64_t refused_ = 0;
  std::vector<SeriesImage<K>> series_;
  std::string keys_;
};

// One thread; may be handed to another.
class RegistryImage {
 public:
  using AnyFamily = VariantOfKinds<FamilyImage>;

  // Adds an image of another registry. Families of one spec become one.
  void merge(RegistryImage&& other);
  // As FamilyImage::take_idle(), of all families.
  [[nodiscard]] SeriesKeys take_idle(std::int64_t before_ns, const SeriesChoice* among = nullptr);
  // Observations of all families that went to an overflow series for want of room.
  [[nodiscard]] std::uint64_t refused() const;
  [[nodiscard]] Snapshot snapshot(Timestamp now) &&;

 private:
  friend class RegistryCopier;

  std::vector<std::unique_ptr<AnyFamily>> families_;
  std::unordered_map<const FamilySpec*, AnyFamily*> by_spec_;
};

}  // namespace metricsd
