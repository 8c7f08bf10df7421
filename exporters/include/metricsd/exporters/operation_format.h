// Formats for rows of operations: a beginning, a row for each operation, an end. What they append is the
// file.
#pragma once

#include <metricsd/models/operation.h>
#include <metricsd/models/operation_line.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace metricsd::exporters {

// One file's worth; one thread.
class OperationFormat {
 public:
  virtual ~OperationFormat() = default;

  virtual void begin(std::string& out) = 0;
  virtual void row(std::string& out, const OperationView& operation) = 0;
  // The same row of an operation that stands in such a line already: what it has in common with it is copied.
  virtual void copy_row(std::string& out, const OperationView& operation, const OperationLine& line) = 0;
  virtual void end(std::string& out) = 0;
};

struct FormatOptions {
  std::string test_run_id{};
  bool csv_raw = false;  // do not defuse text cells that look like formulas
  bool csv_bom = false;  // begin with a UTF-8 byte order mark, for old spreadsheets
};

// A format by its name on the command line, and the file it makes in a run's directory.
struct FormatEntry {
  std::string_view name;
  std::string_view file_name;
  std::unique_ptr<OperationFormat> (*make)(const FormatOptions& options);
};

// jsonl, json, csv: the explicit list of formats.
[[nodiscard]] std::span<const FormatEntry> operation_formats();
[[nodiscard]] const FormatEntry* find_operation_format(std::string_view name);

}  // namespace metricsd::exporters
