// The queue of a segment that nobody writes any more: encoded batches and samples, the oldest first.
#pragma once

#include <metricsd/ipc/segment_reader.h>
#include <metricsd/models/errors.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::ipc {

struct QueuedLine {
  std::uint32_t stream = 0;
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;
  std::string_view line;  // with its newline; whether it says what the entry says is for the reader to see
};

// One thread. Memory: one line.
class QueueReader {
 public:
  // `segment` outlives it.
  explicit QueueReader(const SegmentReader& segment);

  // False at the end. `out` is valid until the next call. An entry that contradicts itself ends its part of
  // the queue: is_broken(). Errors: those of reading.
  [[nodiscard]] Result<bool> next(QueuedLine& out);
  // As next(), without the lines.
  [[nodiscard]] Result<bool> skip(QueuedLine& out);
  [[nodiscard]] bool is_broken() const { return is_broken_; }

 private:
  [[nodiscard]] Result<bool> advance(QueuedLine& out, bool with_line);

  const SegmentReader& segment_;
  std::size_t part_ = 0;
  std::uint64_t at_ = 0;  // in the file
  std::string line_;
  bool is_broken_ = false;
};

}  // namespace metricsd::ipc
