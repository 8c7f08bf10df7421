// /proc/meminfo, as proc(5) describes it, in KiB.
//
//   total_bytes        MemTotal
//   free_bytes         MemFree
//   available_bytes    MemAvailable
//   buffers_bytes      Buffers
//   cached_bytes       Cached
//   swap_total_bytes   SwapTotal
//   swap_free_bytes    SwapFree
#pragma once

#include "system_sample.h"

#include <optional>
#include <string_view>

namespace metricsd::tools {

// Nothing without MemTotal and MemFree. Where a kernel has no MemAvailable (before 3.14) it is what is free.
[[nodiscard]] std::optional<MemorySample> decode_meminfo(std::string_view text);

}  // namespace metricsd::tools
