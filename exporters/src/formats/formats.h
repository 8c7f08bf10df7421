// The makers of the formats that operation_format.cpp lists. Each stands in the file of its name.
#pragma once

#include <metricsd/exporters/operation_format.h>

#include <memory>

namespace metricsd::exporters {

// One compact object a line.
[[nodiscard]] std::unique_ptr<OperationFormat> make_jsonl(const FormatOptions& options);

// {"schema_version": 1, "test_run_id": ..., "operations": [...]}, indented, an operation a line.
[[nodiscard]] std::unique_ptr<OperationFormat> make_json(const FormatOptions& options);

// RFC 4180 with CRLF and a header line.
[[nodiscard]] std::unique_ptr<OperationFormat> make_csv(const FormatOptions& options);

}  // namespace metricsd::exporters
