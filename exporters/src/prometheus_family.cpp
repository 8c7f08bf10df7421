#include "prometheus_family.h"

namespace metricsd::exporters {

ExpositionType exposition_type(const FamilySnapshot& family) {
  if (std::holds_alternative<SeriesOf<Buckets>>(family.series)) return ExpositionType::histogram;
  if (std::holds_alternative<SeriesOf<Quantiles>>(family.series)) return ExpositionType::summary;
  // The text format has no type for an Info: it is a gauge that reads 1.
  const bool counts =
      std::holds_alternative<SeriesOf<Scalar>>(family.series) && family.spec->kind == Kind::counter;
  return counts ? ExpositionType::counter : ExpositionType::gauge;
}

std::string exposed_name(const FamilySnapshot& family) {
  if (std::holds_alternative<SeriesOf<Info>>(family.series)) {
    return family.spec->base_name + "_info";
  }
  return exposition_name(*family.spec);
}

}  // namespace metricsd::exporters
