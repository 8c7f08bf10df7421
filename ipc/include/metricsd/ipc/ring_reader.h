// The records of one ring of a segment that nobody writes any more, the oldest first.
#pragma once

#include <metricsd/ipc/segment_reader.h>
#include <metricsd/ipc/segment_record.h>
#include <metricsd/models/errors.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace metricsd::ipc {

// One thread. Memory: kBuffer.
class RingReader {
 public:
  static constexpr std::size_t kBuffer = std::size_t{1} << 20;  // more than the longest record

  // What the queue has not taken, or what the run's file has not.
  enum class From { queue, files };

  // `segment` outlives it; `ring` is one of its rings.
  RingReader(const SegmentReader& segment, const SegmentRing& ring, From from);

  // False at the end: where no more was committed, or what lies there is no record; unread() tells. `out` is
  // valid until the next call. Errors: those of reading.
  [[nodiscard]] Result<bool> next(Record& out);

  // Of the record read last: its number in the ring.
  [[nodiscard]] std::uint64_t ordinal() const { return ordinal_; }
  // Records that were committed and could not be read, as far as that can be told: never more than find room.
  [[nodiscard]] std::uint64_t unread() const;

 private:
  [[nodiscard]] Result<> fill();

  int file_;
  SegmentRing ring_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;  // of what was not given out
  std::size_t end_ = 0;    // of what was read from the file
  std::uint64_t fetched_;  // position in the ring of what is behind that
  std::uint64_t ordinal_;  // of the record given out last
  bool is_broken_ = false;
};

}  // namespace metricsd::ipc
