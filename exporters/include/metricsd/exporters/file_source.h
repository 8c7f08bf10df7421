// Small files as one text.
#pragma once

#include <metricsd/models/errors.h>

#include <cstddef>
#include <filesystem>
#include <string>

namespace metricsd::exporters {

// The whole of a file of at most `max_size` bytes. Errors: too_long, those of reading (errno's
// no_such_file_or_directory where there is none).
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_size);

}  // namespace metricsd::exporters
