// Looking into what a run left.
#pragma once

#include <metricsd/models/operation.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace metricsd::client::testing {

// The whole of a file; "" where there is none.
[[nodiscard]] std::string content_of(const std::filesystem::path& file);
[[nodiscard]] std::vector<std::string> lines_of(const std::filesystem::path& file);

// The operations of a run's JSONL. A line that is none fails the test.
[[nodiscard]] std::vector<OperationMetric> operations_of(const std::filesystem::path& run_directory);

// operations.total of a run's aggregated.json.
[[nodiscard]] std::uint64_t total_of(const std::filesystem::path& run_directory);

// The number behind `"key":` where it stands first after `after`; 0 where it does not.
[[nodiscard]] std::uint64_t number_in(const std::string& json, const std::string& key,
                                      const std::string& after = {});

}  // namespace metricsd::client::testing
