#include "prometheus_family.h"

namespace metricsd::exporters {

ExpositionType exposition_type(const FamilySnapshot& family) {
  const Shape& shape = family.series.front().shape;
  if (std::holds_alternative<Buckets>(shape)) return ExpositionType::histogram;
  if (std::holds_alternative<Quantiles>(shape)) return ExpositionType::summary;
  // The text format has no type for an Info: it is a gauge that reads 1.
  const bool counts = std::holds_alternative<Scalar>(shape) && family.spec->kind == Kind::counter;
  return counts ? ExpositionType::counter : ExpositionType::gauge;
}

std::string exposed_name(const FamilySnapshot& family) {
  if (std::holds_alternative<Info>(family.series.front().shape)) {
    return family.spec->base_name + "_info";
  }
  return exposition_name(*family.spec);
}

}  // namespace metricsd::exporters
