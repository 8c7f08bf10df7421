// What is known of a run from the directory that it left.
#pragma once

#include <metricsd/models/drop_counts.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/run.h>

#include <filesystem>
#include <optional>

namespace metricsd::tools {

// The run of test_config.json; where there is none, what the directory's name tells
// (`<test_name>_<YYYYmmddTHHMMSSZ>_<first 8 of the run id>`). Errors: those of reading one that is there, so
// that nobody writes a guess over it.
[[nodiscard]] Result<Run> run_of_directory(const std::filesystem::path& directory);

// Says so in one line and what to do; returns the exit code.
int fail_to_read_run(const std::filesystem::path& directory, const error_code& error);

// What the operations themselves can not tell: adds to `run` what its finished processes left
// (.members.jsonl), and returns what was dropped, by them or, where they left nothing, by an existing
// aggregated.json. The end of a run that did not live to say so stays open. Nothing where processes took part
// and none said what it lost: they were killed, or the disk was full.
[[nodiscard]] std::optional<DropCounts> add_members(const std::filesystem::path& directory, Run& run);

}  // namespace metricsd::tools
