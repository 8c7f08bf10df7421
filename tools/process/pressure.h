// /proc/pressure/cpu, memory and io (the kernel's accounting/psi): how long tasks waited for a resource.
// "some": at least one did; "full": all that were not idle did.
//
//   some_seconds, full_seconds                total, microseconds
//   some_avg10_percent, full_avg10_percent    avg10: of the last ten seconds
#pragma once

#include "system_sample.h"

#include <optional>
#include <string_view>

namespace metricsd::tools {

// `resource` lives longer than the result. Nothing where there is no line "some".
[[nodiscard]] std::optional<PressureSample> decode_pressure(std::string_view resource, std::string_view text);

}  // namespace metricsd::tools
