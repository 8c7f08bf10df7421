#include <metricsd/models/family.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>
#include <metricsd/models/utf8.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace metricsd {
namespace {

constexpr std::string_view kTotal = "_total";

bool are_bounds(const std::vector<double>& bounds) {
  if (bounds.size() > limits::kBounds) return false;
  if (!std::all_of(bounds.begin(), bounds.end(), [](double bound) { return std::isfinite(bound); }))
    return false;
  return std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>()) == bounds.end();
}

// `le` and `quantile` are the exposition format's own.
bool are_label_names(const LabelNames& names) {
  if (names.size() > limits::kLabels) return false;
  const std::set<std::string_view> distinct(names.begin(), names.end());
  if (distinct.size() != names.size()) return false;
  return std::all_of(names.begin(), names.end(), [](const std::string& name) {
    return is_label_name(name) && name.size() <= limits::kLabelValue && name != "le" && name != "quantile";
  });
}

}  // namespace

std::string_view to_string(Kind kind) noexcept {
  switch (kind) {
    case Kind::counter: return "counter";
    case Kind::gauge: return "gauge";
    case Kind::histogram: return "histogram";
  }
  return "unknown";
}

std::string_view to_string(Merge merge) noexcept {
  switch (merge) {
    case Merge::sum: return "sum";
    case Merge::min: return "min";
    case Merge::max: return "max";
    case Merge::last: return "last";
  }
  return "unknown";
}

std::string metric_name(const FamilySpec& spec) {
  std::string name = spec.base_name;
  if (!spec.unit.empty()) {
    name += '_';
    name += spec.unit;
  }
  return name;
}

std::string exposition_name(const FamilySpec& spec) {
  std::string name = metric_name(spec);
  if (spec.kind == Kind::counter) name += kTotal;
  return name;
}

std::string base_name_of(std::string_view name, Kind kind, std::string_view unit) {
  if (kind == Kind::counter && name.ends_with(kTotal)) name.remove_suffix(kTotal.size());
  if (!unit.empty() && name.size() > unit.size() + 1 && name.ends_with(unit) &&
      name[name.size() - unit.size() - 1] == '_') {
    name.remove_suffix(unit.size() + 1);
  }
  return std::string(name);
}

Result<> validate(const FamilySpec& spec) {
  const bool unit_fits =
      spec.unit.empty() || (spec.unit.size() <= limits::kUnit && is_metric_name("_" + spec.unit));
  const bool name_fits = is_metric_name(spec.base_name) && spec.base_name.size() <= limits::kFamilyName;
  const bool help_fits = spec.help.size() <= limits::kHelp && is_valid_utf8(spec.help);
  const bool bounds_fit = spec.kind == Kind::histogram ? are_bounds(spec.bounds) : spec.bounds.empty();
  if (!name_fits || !unit_fits || !help_fits || !bounds_fit || !are_label_names(spec.label_names)) {
    return Errc::invalid_definition;
  }
  return {};
}

// base name, unit, help (text), kind, merge (u8), label names (count, text), bounds (count, f64), kept label
void save(StateWriter& out, const FamilySpec& spec) {
  out.text(spec.base_name);
  out.text(spec.unit);
  out.text(spec.help);
  out.u8(static_cast<std::uint8_t>(spec.kind));
  out.u8(static_cast<std::uint8_t>(spec.merge));
  out.u64(spec.label_names.size());
  for (const std::string& name : spec.label_names) out.text(name);
  out.u64(spec.bounds.size());
  for (const double bound : spec.bounds) out.f64(bound);
  out.text(spec.kept_label);
}

FamilySpec load_family_spec(StateReader& in) {
  FamilySpec spec;
  spec.base_name = in.text(limits::kFamilyName);
  spec.unit = in.text(limits::kUnit);
  spec.help = in.text(limits::kHelp);
  const std::uint8_t kind = in.u8();
  const std::uint8_t merge = in.u8();
  if (kind > static_cast<std::uint8_t>(Kind::histogram) || merge > static_cast<std::uint8_t>(Merge::last)) {
    in.fail();
    return spec;
  }
  spec.kind = static_cast<Kind>(kind);
  spec.merge = static_cast<Merge>(merge);
  spec.label_names.resize(in.count(limits::kLabels, 1));
  for (std::string& name : spec.label_names) name = in.text(limits::kLabelValue);
  spec.bounds.resize(in.count(limits::kBounds, sizeof(double)));
  for (double& bound : spec.bounds) bound = in.f64();
  spec.kept_label = in.text(limits::kLabelValue);
  if (!in.failed() && !validate(spec)) in.fail();
  return spec;
}

const std::vector<double>& default_duration_bounds() {
  static const std::vector<double> bounds{0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                          0.1,    0.25,   0.5,   1,      2,     5,    10,    30};
  return bounds;
}

const std::vector<double>& default_size_bounds() {
  static const std::vector<double> bounds{1024,       10'240,      102'400,      1'048'576,
                                          10'485'760, 104'857'600, 1'073'741'824};
  return bounds;
}

}  // namespace metricsd
