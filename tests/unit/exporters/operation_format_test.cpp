#include "sample_operation.h"

#include <metricsd/exporters/operation_format.h>
#include <metricsd/models/json/document.h>
#include <metricsd/models/operation_json.h>

#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::exporters {
namespace {

using testing::ElementsAre;

std::string render(std::string_view name, std::size_t rows, const std::string& run_id = "run-1") {
  std::string out;
  const auto format = find_operation_format(name)->make({.test_run_id = run_id});
  format->begin(out);
  for (std::size_t i = 0; i < rows; ++i) format->row(out, sample_operation());
  format->end(out);
  return out;
}

std::string sample_json() {
  std::string out;
  append_operation_json(out, sample_operation());
  return out;
}

TEST(JsonlFormatTest, AnObjectALine) {
  EXPECT_EQ(render("jsonl", 0), "");
  EXPECT_EQ(render("jsonl", 2), sample_json() + "\n" + sample_json() + "\n");
}

TEST(JsonFormatTest, GoldenDocument) {
  EXPECT_EQ(render("json", 2),
            "{\n  \"schema_version\": 1,\n  \"test_run_id\": \"run-1\",\n  \"operations\": [\n    " +
                sample_json() + ",\n    " + sample_json() + "\n  ]\n}\n");
}

TEST(JsonFormatTest, IsJsonWithAnyNumberOfRows) {
  for (const std::size_t rows : {0U, 1U, 3U}) {
    const auto document = parse_json(render("json", rows, "a\"b\\c\n"));
    ASSERT_TRUE(document.has_value());
    EXPECT_EQ(document->at("schema_version").as_int64(), 1);
    EXPECT_EQ(document->at("test_run_id").as_string(), "a\"b\\c\n");
    EXPECT_EQ(document->at("operations").as_array().size(), rows);
  }
}

TEST(OperationFormatsTest, NamesAndFiles) {
  std::vector<std::string> names;
  std::vector<std::string> files;
  for (const FormatEntry& entry : operation_formats()) {
    names.emplace_back(entry.name);
    files.emplace_back(entry.file_name);
  }
  EXPECT_THAT(names, ElementsAre("jsonl", "json", "csv"));
  EXPECT_THAT(files, ElementsAre("operations.jsonl", "operations.json", "operations.csv"));
  EXPECT_EQ(find_operation_format("xml"), nullptr);
  EXPECT_EQ(find_operation_format(""), nullptr);
}

}  // namespace
}  // namespace metricsd::exporters
