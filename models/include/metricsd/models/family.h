// What a family of series is called and how its series behave, whatever their kind holds.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/labels.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd {

class StateReader;
class StateWriter;

// The kinds of a family, in the order of their states in kinds/kinds.h. Saved state holds these numbers.
enum class Kind : std::uint8_t { counter = 0, gauge = 1, histogram = 2 };

[[nodiscard]] std::string_view to_string(Kind kind) noexcept;

// How the values that several owners, or several shards, give one gauge become one.
enum class Merge : std::uint8_t { sum = 0, min = 1, max = 2, last = 3 };

[[nodiscard]] std::string_view to_string(Merge merge) noexcept;

struct FamilySpec {
  std::string base_name{};  // without `_total` and without the unit
  std::string unit{};       // "seconds", "bytes", or empty
  std::string help{};
  Kind kind = Kind::counter;
  LabelNames label_names{};
  Merge merge = Merge::sum;      // gauges only
  std::vector<double> bounds{};  // histograms only: ascending, finite, without +Inf
  std::string kept_label{};      // the one label that keeps its value in the overflow series, or empty

  bool operator==(const FamilySpec&) const = default;
};

// `base_unit`: what OpenMetrics calls the family.
[[nodiscard]] std::string metric_name(const FamilySpec& spec);
// `base_unit`, with `_total` behind it for a counter: the name under which a scrape shows the family.
[[nodiscard]] std::string exposition_name(const FamilySpec& spec);

// Splits a name as people give it (`requests_total`, `latency_seconds` with unit `seconds`) into base and
// unit.
[[nodiscard]] std::string base_name_of(std::string_view name, Kind kind, std::string_view unit);

// Names, labels, bounds and lengths as limits.h and labels.h have them. Errc::invalid_definition otherwise.
[[nodiscard]] Result<> validate(const FamilySpec& spec);

void save(StateWriter& out, const FamilySpec& spec);
// Takes any bytes; the reader has failed where they are no spec that validate() takes.
[[nodiscard]] FamilySpec load_family_spec(StateReader& in);

// 0.0001 to 30 seconds, and 1 KiB to 1 GiB: the contract's default bounds.
[[nodiscard]] const std::vector<double>& default_duration_bounds();
[[nodiscard]] const std::vector<double>& default_size_bounds();

}  // namespace metricsd
