// The line of an operation as append_operation_json() writes it, taken apart again: who turns such lines into
// other formats copies its numbers and times instead of making them anew.
#pragma once

#include <metricsd/models/operation.h>

#include <string_view>

namespace metricsd {

// What stands in a line for the values that are not texts; empty where there is none. Views into the line.
struct OperationLine {
  std::string_view line;
  std::string_view timestamp_start;
  std::string_view timestamp_end;
  std::string_view intended_start;
  std::string_view object_size_bytes;
  std::string_view duration_ms;
  std::string_view throughput_mbps;
};

// Whether `line`, from which `operation` was read, is what append_operation_json() would write of it; only
// for throughput_mbps another text of the same number may stand there. If it is, `out` holds its parts,
// otherwise nothing of use.
[[nodiscard]] bool take_apart(std::string_view line, const OperationView& operation, OperationLine& out);

}  // namespace metricsd
