// The lines of a run's operations.jsonl that a segment holds, in the order in which they belong there.
#pragma once

#include <metricsd/ipc/operation_builder.h>
#include <metricsd/ipc/ring_reader.h>
#include <metricsd/ipc/segment_reader.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/operation_json.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace metricsd::ipc {

// First those that may have been on their way to the file, then those of the records that were on no way.
// Each is an operation: other text that a segment has is passed over. One thread. The same segment gives the
// same lines.
class SegmentLines {
 public:
  // `segment` and `names` outlive it.
  SegmentLines(const SegmentReader& segment, const SegmentNames& names);

  // The next line, with its newline; false at the end. Errors: those of reading.
  [[nodiscard]] Result<bool> next(std::string& line);

 private:
  [[nodiscard]] Result<bool> next_of_text(std::string& line);
  [[nodiscard]] Result<bool> next_of_rings(std::string& line);
  [[nodiscard]] bool is_operation(std::string_view line);
  [[nodiscard]] std::uint64_t dealt_with(std::uint32_t stream) const;

  const SegmentReader& segment_;
  OperationBuilder builder_;
  std::map<std::uint32_t, std::uint64_t> dealt_with_;  // stream -> the last ordinal of its spans
  std::uint64_t text_at_ = 0;                          // in the file
  std::uint64_t text_end_ = 0;
  std::string text_;  // of these bytes, what was read and not given out
  std::size_t ring_ = 0;
  std::optional<RingReader> records_;
  Record record_;
  OperationView operation_;
  OperationReader reader_;  // of the text
};

}  // namespace metricsd::ipc
