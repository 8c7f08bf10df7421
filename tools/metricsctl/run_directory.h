// What is known of a run from the directory that it left.
#pragma once

#include <metricsd/models/run.h>
#include <metricsd/models/statistics/summary.h>

#include <filesystem>

namespace metricsd::tools {

// The run of test_config.json; where that is missing or broken, what the directory's name tells
// (`<test_name>_<YYYYmmddTHHMMSSZ>_<first 8 of the run id>`).
[[nodiscard]] Run run_of_directory(const std::filesystem::path& directory);

// What the operations themselves can not tell: adds to `run` what its finished processes left
// (.members.jsonl), and returns what was dropped, by them or, where they left nothing, by an existing
// aggregated.json. The end of a run that did not live to say so stays open.
[[nodiscard]] DropCounts add_members(const std::filesystem::path& directory, Run& run);

}  // namespace metricsd::tools
