// Everything a batch says, as text: to compare two, and to show how they differ. For who links metricsd::ipc.
#pragma once

#include <metricsd/ipc/batch.h>

#include <string>

namespace metricsd::support {

// "stream/first_seq+count ?unknown_fields", then its dictionary and its rows, or why all of it is refused.
inline std::string text_of(const ipc::Batch& batch) {
  std::string text = std::to_string(batch.stream) + "/" + std::to_string(batch.first_seq) + "+" +
                     std::to_string(batch.count) + " ?" + std::to_string(batch.unknown_fields);
  if (batch.refusal) {
    return text + " " + std::string(reason(batch.refusal->reason)) + ":" + batch.refusal->detail;
  }
  for (const ipc::SharedFields& entry : batch.shared) {
    text += " {" + entry.operation_type + "|" + entry.workload_type + "|" + entry.driver + "|" +
            (entry.success ? "+" : "-") + entry.error_code + "}";
  }
  for (const ipc::BatchRow& row : batch.rows) {
    if (row.shared == ipc::BatchRow::kNoOperation) {
      text += row.refusal == Errc{} ? " nothing" : " !" + std::string(reason(row.refusal));
    } else {
      text += " [" + std::to_string(row.shared) + " " + std::to_string(row.duration_ns) + " " +
              std::to_string(row.object_size_bytes) + " " + std::to_string(row.retry_count) + "]";
    }
  }
  return text;
}

}  // namespace metricsd::support
