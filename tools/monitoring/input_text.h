// What a flag names to be read: a file, or a pipe that a shell has put in its place (`<(...)`, /dev/stdin).
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

namespace metricsd::tools {

// All of it, to its end. A FIFO that nobody writes is empty, and not waited for. Nothing on an error, which
// is EFBIG of more than `max_size` bytes.
[[nodiscard]] std::optional<std::string> read_input(const std::filesystem::path& path, std::size_t max_size,
                                                    std::error_code& error);

}  // namespace metricsd::tools
