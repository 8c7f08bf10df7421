// From a run's operations.jsonl to its other files. The one way both a finishing client and `metricsctl
// export` go.
#pragma once

#include <metricsd/exporters/operation_format.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/run.h>
#include <metricsd/models/statistics/summary.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace metricsd::exporters {

inline constexpr std::string_view kOperationsFile = "operations.jsonl";
inline constexpr std::string_view kSummaryFile = "aggregated.json";
inline constexpr std::string_view kRunFile = "test_config.json";

// The content of test_config.json.
[[nodiscard]] std::string render_run(const Run& run);
// test_config.json of a directory. Errors: run_not_found where there is none, too_long, those of reading and
// of JSON.
[[nodiscard]] Result<Run> read_run(const std::filesystem::path& directory);

struct ExportOptions {
  std::vector<std::string> formats{};  // of operation_formats(), each once; jsonl is there already
  bool csv_raw = false;
  bool csv_bom = false;
  DropCounts dropped{};
  // Told the bytes of JSONL read so far and in all, now and then.
  std::function<void(std::uint64_t, std::uint64_t)> progress{};
};

struct ExportReport {
  std::optional<RunSummary> summary;  // nothing where it could not be made: failed_files says why
  std::string summary_json;           // of `summary`, the text of aggregated.json
  std::uint64_t operations = 0;
  std::uint64_t bad_lines = 0;
  std::vector<std::string> warnings;                             // for a person, one line each
  std::vector<std::pair<std::string, error_code>> failed_files;  // the others were written
};

// Reads `directory`/operations.jsonl once, in bounded memory, and writes the formats asked for,
// aggregated.json and test_config.json (of `run`, its end filled in from the operations where it has none).
// Fails only where the JSONL can not be read; a file that can not be written is in `failed_files`.
[[nodiscard]] Result<ExportReport> export_run(const std::filesystem::path& directory, Run run,
                                              const ExportOptions& options);

}  // namespace metricsd::exporters
