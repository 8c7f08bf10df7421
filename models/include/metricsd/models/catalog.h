// What families there are and which series they may have: one table for all shards, so that a name means the
// same and a cap holds for what a scrape shows.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/family.h>
#include <metricsd/models/key_index.h>
#include <metricsd/models/key_pool.h>
#include <metricsd/models/string_table.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace metricsd {

// What bounds a family's series beside the cap of each.
enum class Room : std::uint8_t {
  own,     // nothing: of families that the program itself defines there are few
  common,  // limits::kSeries for all such families together: peers define as many as they like
};

// What the status says of a family that overflowed.
struct OverflowReport {
  std::string family;          // exposition name
  std::uint64_t refused = 0;   // observations that found no room
  std::string exploded_label;  // the label with the most distinct values
  std::size_t distinct_values = 0;
};

// Any thread. Asked only when a shard meets a definition, or label values it has no series for; and by who
// shows how full it is.
class Catalog {
 public:
  explicit Catalog(std::size_t max_series_per_family) : max_series_(max_series_per_family) {}

  // The one spec of this family; defining the same again gives the same (the first help text and room stay).
  // Errors: invalid_definition; conflicting_definition (another kind, unit, labels, merge or bounds under
  // this name, or a name under which another family's samples are shown); limit_reached beyond
  // limits::kFamilies.
  [[nodiscard]] Result<std::shared_ptr<const FamilySpec>> define(FamilySpec spec, Room room = Room::own);

  // The series' key if the family has this series already, in any shard, or has room for one more; else null.
  // Each key given makes the caller one holder of the series, until release(); meanwhile it may be read on
  // any thread. `family` is a spec that define() gave.
  [[nodiscard]] const StoredKey* admit(const FamilySpec& family, std::string_view series_key);
  // A key for a series that others fold into; it takes no place of the cap.
  [[nodiscard]] const StoredKey* admit_overflow(const FamilySpec& family, std::string_view series_key);
  void release(const FamilySpec& family, std::string_view series_key);
  void release_overflow(const FamilySpec& family, std::string_view series_key);
  // So many observations more found no room: of who does not ask for each, having been told no.
  void count_refused(const FamilySpec& family, std::uint64_t observations);

  [[nodiscard]] std::size_t max_series_per_family() const { return max_series_; }
  // Series of all families, whoever holds them; what they overflowed into aside.
  [[nodiscard]] std::size_t series_count() const;
  // One for each family that refused a series. Cheap while the series stay the same.
  [[nodiscard]] std::vector<OverflowReport> overflows();

 private:
  struct Entry {
    std::shared_ptr<const FamilySpec> spec;
    Room room = Room::own;
    KeyIndex keys;           // of its series
    KeyIndex overflow_keys;  // of those that others fold into
    OverflowReport overflow;
    bool has_changed = false;  // since the label in `overflow` was looked for
  };

  [[nodiscard]] bool has_room(const Entry& entry) const;
  const StoredKey* hold(KeyIndex& keys, std::string_view series_key, bool is_overflow);
  bool let_go(KeyIndex& keys, std::string_view series_key);
  void find_exploded_label(Entry& entry) const;
  [[nodiscard]] auto text_of() const {
    return [this](KeyPool::Id id) { return keys_.at(id).text(); };
  }

  const std::size_t max_series_;
  mutable std::mutex mutex_;
  std::size_t series_ = 0;
  std::size_t common_series_ = 0;  // of these, in families of Room::common
  KeyPool keys_;
  std::vector<std::unique_ptr<Entry>> entries_;
  StringTable<Entry*> by_name_;  // every name a family reserves
  std::unordered_map<const FamilySpec*, Entry*> by_spec_;
};

}  // namespace metricsd
