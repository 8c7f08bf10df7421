#include "segment_file.h"

#include <metricsd/ipc/encoder.h>
#include <metricsd/ipc/segment_lines.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <span>

namespace metricsd::ipc {

SegmentLines::SegmentLines(const SegmentReader& segment, const SegmentNames& names)
    : segment_(segment),
      builder_({.workload_type = segment.run().workload_type,
                .driver = segment.run().driver,
                .id_prefix = segment.run().id_prefix},
               names, segment.timeline()) {
  if (!segment.append()) return;
  const SegmentAppend& append = *segment.append();
  for (const AppendSpan& span : append.spans) {
    std::uint64_t& last = dealt_with_[span.stream];
    const std::uint64_t most = limits::kWhole - std::min(span.first, limits::kWhole);
    last = std::max(last, span.first + std::min<std::uint64_t>(span.lines, most) - (span.lines > 0 ? 1 : 0));
  }
  if (append.state != AppendState::appending) return;
  text_at_ = append.text_offset;
  text_end_ = append.text_offset + append.text_bytes;
}

Result<bool> SegmentLines::next(std::string& line) {
  if (text_at_ < text_end_ || !text_.empty()) return next_of_text(line);
  return next_of_rings(line);
}

// What is left without a newline, or is longer than any line, is none: the rest of the text is passed over.
Result<bool> SegmentLines::next_of_text(std::string& line) {
  const auto fail = [](const error_code& error) {
    return Result<bool>(boost::system::in_place_error, error);
  };
  const auto file = SegmentFile::of(segment_.file());
  if (!file) return fail(file.error());
  while (true) {
    if (const std::size_t newline = text_.find('\n'); newline != std::string::npos) {
      line.assign(text_, 0, newline + 1);
      text_.erase(0, newline + 1);
      if (!is_operation(line)) continue;
      return true;
    }
    if (text_at_ == text_end_ || text_.size() > limits::kFileLine) {
      text_.clear();
      text_at_ = text_end_;
      return next_of_rings(line);
    }
    const std::uint64_t bytes = std::min<std::uint64_t>(limits::kPlainLine, text_end_ - text_at_);
    const std::size_t before = text_.size();
    text_.resize(before + bytes);
    const auto read = file->read(text_at_, std::as_writable_bytes(std::span(text_)).subspan(before));
    if (!read) return fail(read.error());
    text_at_ += bytes;
  }
}

Result<bool> SegmentLines::next_of_rings(std::string& line) {
  const auto& rings = segment_.rings();
  for (; ring_ < rings.size(); ++ring_, records_.reset()) {
    const SegmentRing& ring = rings[ring_];
    if (!records_) records_.emplace(segment_, ring, RingReader::From::files);
    while (true) {
      const Result<bool> more = records_->next(record_);
      if (!more) return more;
      if (!*more) break;
      if (segment_.has_ended() && records_->ordinal() > ring.position.taken) break;  // they count as lost
      const bool is_dealt_with = records_->ordinal() <= dealt_with(ring.stream);
      if (is_dealt_with || !builder_.build(record_, ring.stream, records_->ordinal(), operation_)) continue;
      line.clear();
      encode(line, operation_);
      return true;
    }
  }
  return false;
}

bool SegmentLines::is_operation(std::string_view line) {
  line.remove_suffix(1);
  return reader_.read(line, operation_) == OperationReader::Outcome::operation;
}

std::uint64_t SegmentLines::dealt_with(std::uint32_t stream) const {
  const auto found = dealt_with_.find(stream);
  return found == dealt_with_.end() ? 0 : found->second;
}

}  // namespace metricsd::ipc
