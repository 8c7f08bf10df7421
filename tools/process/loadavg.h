// /proc/loadavg, as proc(5) describes it: how many tasks were runnable or waited for a disk, over 1, 5 and 15
// minutes.
#pragma once

#include "system_sample.h"

#include <optional>
#include <string_view>

namespace metricsd::tools {

[[nodiscard]] std::optional<LoadSample> decode_loadavg(std::string_view text);

}  // namespace metricsd::tools
