#include "metric_specs.h"

namespace metricsd::client {
namespace {

template <class Options>
FamilySpec named(const Options& options, Kind kind) {
  return {.base_name = base_name_of(options.name, kind, options.unit),
          .unit = options.unit,
          .help = options.help,
          .kind = kind};
}

Merge merge_of(GaugeMerge merge) {
  switch (merge) {
    case GaugeMerge::sum: return Merge::sum;
    case GaugeMerge::min: return Merge::min;
    case GaugeMerge::max: return Merge::max;
    case GaugeMerge::last: return Merge::last;
  }
  return Merge::sum;
}

}  // namespace

FamilySpec spec_of(const CounterOptions& options) {
  return named(options, Kind::counter);
}

FamilySpec spec_of(const GaugeOptions& options) {
  FamilySpec spec = named(options, Kind::gauge);
  spec.merge = merge_of(options.merge);
  return spec;
}

FamilySpec spec_of(const HistogramOptions& options) {
  FamilySpec spec = named(options, Kind::histogram);
  spec.bounds = options.bounds.empty() ? default_duration_bounds() : options.bounds;
  return spec;
}

}  // namespace metricsd::client
