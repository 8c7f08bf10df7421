// What families there are and which series they may have: one table for all shards, so that a name means the
// same and a cap holds for what a scrape shows.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/family.h>
#include <metricsd/models/string_table.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace metricsd {

// Any thread. Asked only when a shard meets a definition, or label values it has no series for.
class Catalog {
 public:
  explicit Catalog(std::size_t max_series_per_family) : max_series_(max_series_per_family) {}

  // The one spec of this family; defining the same again gives the same (the first help text stays). Errors:
  // invalid_definition; conflicting_definition (another kind, unit, labels, merge or bounds under this name,
  // or a name under which another family's samples are shown); limit_reached beyond limits::kFamilies.
  [[nodiscard]] Result<std::shared_ptr<const FamilySpec>> define(FamilySpec spec);

  // True if the family has this series already, in any shard, or has room for one more. Each true answer
  // makes the caller one holder of the series, until release(). `family` is a spec that define() gave.
  [[nodiscard]] bool admit(const FamilySpec& family, std::string_view series_key);
  void release(const FamilySpec& family, std::string_view series_key);

  [[nodiscard]] std::size_t max_series_per_family() const { return max_series_; }

 private:
  struct Entry {
    std::shared_ptr<const FamilySpec> spec;
    StringTable<std::uint32_t> holders;  // series -> how many shards hold it
  };

  const std::size_t max_series_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> entries_;
  StringTable<Entry*> by_name_;  // every name a family reserves
  std::unordered_map<const FamilySpec*, Entry*> by_spec_;
};

}  // namespace metricsd
