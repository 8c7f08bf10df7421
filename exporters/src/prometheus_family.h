// What Prometheus calls a family and its shape. Its text and its prometheus-cpp form agree by asking here.
#pragma once

#include <metricsd/models/snapshot.h>

#include <string>

namespace metricsd::exporters {

enum class ExpositionType { counter, gauge, histogram, summary };

[[nodiscard]] ExpositionType exposition_type(const FamilySnapshot& family);

// exposition_name() of the spec; an Info ends in `_info`.
[[nodiscard]] std::string exposed_name(const FamilySnapshot& family);

}  // namespace metricsd::exporters
