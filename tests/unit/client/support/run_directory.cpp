#include "support/run_directory.h"

#include <metricsd/models/operation_json.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include <gtest/gtest.h>

namespace metricsd::client::testing {

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::istringstream in(content_of(file));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<OperationMetric> operations_of(const std::filesystem::path& run_directory) {
  std::vector<OperationMetric> operations;
  OperationReader reader;
  for (const std::string& line : lines_of(run_directory / "operations.jsonl")) {
    OperationView operation;
    const auto outcome = reader.read(line, operation);
    EXPECT_EQ(outcome, OperationReader::Outcome::operation) << line;
    if (outcome == OperationReader::Outcome::operation)
      operations.push_back(operation.with_texts<std::string>());
  }
  return operations;
}

std::uint64_t total_of(const std::filesystem::path& run_directory) {
  return number_in(content_of(run_directory / "aggregated.json"), "total", "\"operations\"");
}

std::uint64_t number_in(const std::string& json, const std::string& key, const std::string& after) {
  std::size_t at = after.empty() ? 0 : json.find(after);
  if (at != std::string::npos) at = json.find('"' + key + '"', at);
  if (at != std::string::npos) at = json.find(':', at);
  return at == std::string::npos ? 0 : std::stoull(json.substr(at + 1));
}

}  // namespace metricsd::client::testing
