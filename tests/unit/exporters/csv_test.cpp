#include "sample_operation.h"

#include <metricsd/exporters/operation_format.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::exporters {
namespace {

constexpr std::string_view kHeader =
    "operation_id,timestamp_start,timestamp_end,operation_type,workload_type,object_key,object_size_bytes,"
    "duration_ms,throughput_mbps,success,error_code,retry_count,driver,user_id,error_message,intended_start,"
    "metadata\r\n";

// The columns by their place in the contract.
enum Column : std::size_t { kOperationId = 0, kObjectKey = 5, kDurationMs = 7, kErrorMessage = 14 };

std::string render(const std::vector<OperationMetric>& operations, const FormatOptions& options = {}) {
  std::string out;
  const auto format = find_operation_format("csv")->make(options);
  format->begin(out);
  for (const OperationMetric& operation : operations) format->row(out, operation);
  format->end(out);
  return out;
}

std::string row_of(const OperationMetric& operation, const FormatOptions& options = {}) {
  return render({operation}, options).substr(kHeader.size());
}

// One field from the front of `text` as RFC 4180 has it; `text` then begins with what ended it.
std::string take_field(std::string_view& text) {
  std::string field;
  if (text.empty() || text.front() != '"') {
    field = text.substr(0, text.find_first_of(",\r\n"));
    text.remove_prefix(field.size());
    EXPECT_EQ(field.find('"'), std::string::npos) << field;
    return field;
  }
  text.remove_prefix(1);
  while (true) {
    const std::size_t quote = text.find('"');
    if (quote == std::string_view::npos) throw std::runtime_error("a quote that is never closed");
    field += text.substr(0, quote);
    text.remove_prefix(quote + 1);
    if (text.empty() || text.front() != '"') return field;
    field += '"';
    text.remove_prefix(1);
  }
}

std::vector<std::string> fields_of(std::string_view record) {
  std::vector<std::string> fields{take_field(record)};
  while (!record.empty() && record.front() == ',') {
    record.remove_prefix(1);
    fields.push_back(take_field(record));
  }
  EXPECT_EQ(record, "\r\n");
  return fields;
}

std::string key_cell(std::string key, const FormatOptions& options = {}) {
  OperationMetric operation = sample_operation();
  operation.object_key = std::move(key);
  return fields_of(row_of(operation, options)).at(kObjectKey);
}

TEST(CsvTest, GoldenRow) {
  EXPECT_EQ(
      render({sample_operation()}),
      std::string(kHeader) +
          "c1-0-7,2026-01-01T00:00:00.000000Z,2026-01-01T00:00:00.112500Z,upload,s3,bucket/key,1048576,"
          "112.5,8.875,false,SlowDown,2,boto3,user-1,please reduce your rate,2025-12-31T23:59:59.000000Z,"
          "\"{\"\"part\"\":1}\"\r\n");
}

TEST(CsvTest, NoRowsIsAHeader) {
  EXPECT_EQ(render({}), kHeader);
}

TEST(CsvTest, WhatIsAbsentIsEmpty) {
  OperationMetric operation;
  operation.operation_type = "head";
  EXPECT_EQ(row_of(operation), ",,,head,,,0,0,,true,,0,,,,,\r\n");
}

TEST(CsvTest, AnyTextComesBack) {
  for (const std::string text :
       {"plain", "a,b", "\"", "\"\"", "say \"hi\", he said", "line\nfeed", "carriage\rreturn", "both\r\n",
        " padded ", "caf\xC3\xA9", "semi;colon", "tab\tinside", "a=b", "\n", "'quoted'"}) {
    EXPECT_EQ(key_cell(text), text);
  }
  const std::string with_nul("a\0b", 3);
  EXPECT_EQ(key_cell(with_nul), with_nul);
}

TEST(CsvTest, PaddedTextIsQuoted) {
  OperationMetric operation = sample_operation();
  operation.error_message = " x";
  EXPECT_THAT(row_of(operation), testing::HasSubstr(",\" x\","));
  operation.error_message = "x ";
  EXPECT_THAT(row_of(operation), testing::HasSubstr(",\"x \","));
}

TEST(CsvTest, FormulasAreDefused) {
  for (const std::string text :
       {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"http://x\",\"y\")", "="}) {
    EXPECT_EQ(key_cell(text), "'" + text);
    EXPECT_EQ(key_cell(text, {.csv_raw = true}), text);
  }
}

TEST(CsvTest, EveryTextColumnIsDefused) {
  OperationMetric operation = sample_operation();
  for (std::string* text :
       {&operation.operation_id, &operation.operation_type, &operation.workload_type, &operation.object_key,
        &operation.error_code, &operation.driver, &operation.user_id, &operation.error_message}) {
    *text = "-x";
  }
  const std::vector<std::string> fields = fields_of(row_of(operation));
  EXPECT_EQ(std::count(fields.begin(), fields.end(), "'-x"), 8);
}

TEST(CsvTest, NumbersAreNeverDefused) {
  OperationMetric operation = sample_operation();
  operation.throughput_mbps = -0.4375;
  operation.duration_ns = 1;
  const std::string row = row_of(operation);
  EXPECT_THAT(row, testing::HasSubstr(",-0.4375,"));
  EXPECT_EQ(fields_of(row).at(kDurationMs), "0.000001");
}

TEST(CsvTest, LimitsOfTheNumbers) {
  OperationMetric operation = sample_operation();
  operation.object_size_bytes = std::uint64_t{1} << 53;
  operation.duration_ns = 1'000'000'000'000'000;
  operation.retry_count = ~std::uint64_t{0};
  EXPECT_THAT(row_of(operation),
              testing::HasSubstr(",9007199254740992,1000000000,8.875,false,SlowDown,18446744073709551615,"));
}

TEST(CsvTest, ByteOrderMarkOnRequest) {
  EXPECT_EQ(render({}, {.csv_bom = true}), "\xEF\xBB\xBF" + std::string(kHeader));
}

// A cell is looked at eight bytes at a time: wherever in it the comma stands, it is seen.
TEST(Csv, ACommaIsSeenAtAnyPlace) {
  for (std::size_t size = 1; size <= 20; ++size) {
    OperationMetric operation = sample_operation();
    operation.object_key = std::string(size, '-').replace(0, 1, "\xC3\xA9");
    EXPECT_THAT(row_of(operation), testing::HasSubstr("," + operation.object_key + ","));
    for (std::size_t at = 0; at < size; ++at) {
      operation.object_key = std::string(size, 'k');
      operation.object_key[at] = ',';
      EXPECT_THAT(row_of(operation), testing::HasSubstr(",\"" + operation.object_key + "\","));
    }
  }
}

}  // namespace
}  // namespace metricsd::exporters
