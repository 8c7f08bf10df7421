#include "segment_file.h"

#include <metricsd/ipc/ring_reader.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace metricsd::ipc {
namespace {

constexpr std::size_t kLongestRecord =
    sizeof(RecordHeader) + sizeof(std::int64_t) + kRecordTexts * UINT16_MAX + kRecordPadding;
static_assert(kLongestRecord < RingReader::kBuffer);

}  // namespace

RingReader::RingReader(const SegmentReader& segment, const SegmentRing& ring, From from)
    : file_(segment.file()),
      ring_(ring),
      fetched_(from == From::queue ? ring.position.taken_to : ring.position.written_to),
      ordinal_(from == From::queue ? ring.position.taken : ring.position.written) {}

Result<bool> RingReader::next(Record& out) {
  if (is_broken_) return false;
  if (end_ - begin_ < kLongestRecord && fetched_ < ring_.head) {
    if (const auto filled = fill(); !filled) return {boost::system::in_place_error, filled.error()};
  }
  const std::span<const std::byte> there = std::span(buffer_).subspan(begin_, end_ - begin_);
  if (there.empty()) return false;
  if (!decode_record(there, out)) {
    is_broken_ = true;
    return false;
  }
  begin_ += out.header.size;
  ++ordinal_;
  return true;
}

std::uint64_t RingReader::unread() const {
  const std::uint64_t left = ring_.head - (fetched_ - (end_ - begin_));
  const std::uint64_t counted = ring_.committed > ordinal_ ? ring_.committed - ordinal_ : 0;
  return std::min(counted, left / sizeof(RecordHeader));
}

// Moves what is left to the front, and reads on behind it.
Result<> RingReader::fill() {
  if (buffer_.empty()) buffer_.resize(std::min<std::uint64_t>(kBuffer, ring_.head - fetched_));
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  const auto file = SegmentFile::of(file_);
  if (!file) return file.error();
  while (end_ < buffer_.size() && fetched_ < ring_.head) {
    const std::uint64_t place = fetched_ & (ring_.capacity - 1);
    const std::uint64_t bytes =
        std::min({std::uint64_t{buffer_.size() - end_}, ring_.head - fetched_, ring_.capacity - place});
    const auto read = file->read(ring_.offset + place, std::span(buffer_).subspan(end_, bytes));
    if (!read) return read;
    end_ += bytes;
    fetched_ += bytes;
  }
  return {};
}

}  // namespace metricsd::ipc
