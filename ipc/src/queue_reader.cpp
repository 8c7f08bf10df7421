#include "segment_file.h"

#include <metricsd/ipc/queue_reader.h>
#include <metricsd/ipc/segment_record.h>
#include <metricsd/models/limits.h>

#include <array>
#include <span>

namespace metricsd::ipc {
namespace {

bool is_right(const QueueEntry& entry, std::uint64_t room) {
  const bool fits = entry.size % kRecordPadding == 0 && entry.size >= sizeof entry && entry.size <= room &&
                    entry.line_bytes > 0 && entry.line_bytes <= entry.size - sizeof entry &&
                    entry.line_bytes <= limits::kBatchLine + 1;
  return fits && entry.stream < limits::kStreams && entry.first_seq >= 1 &&
         entry.first_seq <= entry.last_seq && entry.last_seq <= limits::kWhole;
}

}  // namespace

QueueReader::QueueReader(const SegmentReader& segment)
    : segment_(segment), at_(segment.queue().empty() ? 0 : segment.queue().front().begin) {}

Result<bool> QueueReader::next(QueuedLine& out) {
  return advance(out, true);
}

Result<bool> QueueReader::skip(QueuedLine& out) {
  return advance(out, false);
}

Result<bool> QueueReader::advance(QueuedLine& out, bool with_line) {
  const auto fail = [](const error_code& error) {
    return Result<bool>(boost::system::in_place_error, error);
  };
  const auto& parts = segment_.queue();
  const auto file = SegmentFile::of(segment_.file());
  if (!file) return fail(file.error());
  while (part_ < parts.size()) {
    const std::uint64_t room = parts[part_].end - at_;
    std::array<std::byte, sizeof(QueueEntry)> bytes;
    if (room >= bytes.size()) {
      if (const auto read = file->read(at_, bytes); !read) return fail(read.error());
      const auto entry = load<QueueEntry>(bytes, 0);
      if (is_right(entry, room)) {
        out = {.stream = entry.stream, .first_seq = entry.first_seq, .last_seq = entry.last_seq, .line = {}};
        if (with_line) {
          line_.resize(entry.line_bytes);
          const auto read = file->read(at_ + sizeof entry, std::as_writable_bytes(std::span(line_)));
          if (!read) return fail(read.error());
          out.line = line_;
        }
        at_ += entry.size;
        return true;
      }
    }
    is_broken_ |= room > 0;
    if (++part_ < parts.size()) at_ = parts[part_].begin;
  }
  return false;
}

}  // namespace metricsd::ipc
