// The list of kinds. A new kind is one file beside this one, one entry here and one in `enum class Kind`; then the
// compiler and docs/architecture.md name the few places that must know what its samples and names are.
#pragma once

#include <metricsd/models/kinds/counter.h>
#include <metricsd/models/kinds/gauge.h>
#include <metricsd/models/kinds/histogram.h>

#include <variant>

namespace metricsd {

// `Of` applied to each kind, as a variant whose index is the Kind's number.
template <template <class> class Of>
using VariantOfKinds = std::variant<Of<Counter>, Of<Gauge>, Of<Histogram>>;

}  // namespace metricsd
