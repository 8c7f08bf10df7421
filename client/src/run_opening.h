// Opening a run: what its options must be, its directory, and one's membership in it.
#pragma once

#include "run_membership.h"

#include <metricsd/client/collector.h>
#include <metricsd/models/clock.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/run.h>
#include <metricsd/models/unique_fd.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace metricsd::client {

// Where a run leaves its files, open for this process.
struct RunFiles {
  std::filesystem::path directory;
  UniqueFd operations;
  RunMembership membership;
};

// What the options say of a run that begins now. On an error, `why` says it in one line.
[[nodiscard]] std::optional<Run> run_of(const RunOptions& options, const Clock& clock, std::string& why);

// Makes the run's directory, with its test_config.json; all of it or nothing. Errors: run_exists, the
// system's.
[[nodiscard]] Result<RunFiles> create_run(const Run& run, const std::filesystem::path& export_dir);

// Joins the run in `directory` and sets `run` to what it is. Errors: run_not_found, those of its files.
[[nodiscard]] Result<RunFiles> join_run(const std::filesystem::path& directory, Run& run);

}  // namespace metricsd::client
