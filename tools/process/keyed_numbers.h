// Files of lines "key number": /proc/PID/io, /proc/meminfo, memory.events and cpu.stat of control groups.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace metricsd::tools {

// The number behind the line's first word where that is `key`, a colon included where the file has one.
// Nothing where no line begins so, or where no number follows.
[[nodiscard]] std::optional<std::uint64_t> number_of(std::string_view text, std::string_view key);

}  // namespace metricsd::tools
