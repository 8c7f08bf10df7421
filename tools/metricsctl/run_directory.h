// What is known of a run from the directory that it left.
#pragma once

#include <metricsd/models/run.h>
#include <metricsd/models/summary.h>

#include <filesystem>

namespace metricsd::tools {

// The run of test_config.json; where that is missing or broken, what the directory's name tells
// (`<test_name>_<YYYYmmddTHHMMSSZ>_<first 8 of the run id>`).
[[nodiscard]] Run run_of_directory(const std::filesystem::path& directory);

// What an existing aggregated.json says was dropped: the operations themselves can not tell.
[[nodiscard]] DropCounts known_drops(const std::filesystem::path& directory);

}  // namespace metricsd::tools
