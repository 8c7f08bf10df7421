#include "segment_file.h"

#include <metricsd/ipc/segment_reader.h>
#include <metricsd/ipc/segment_record.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/operation.h>
#include <metricsd/models/text.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <utility>

namespace metricsd::ipc {
namespace {

constexpr std::uint64_t kSmallestPage = 4096;
constexpr std::uint64_t kLargestPage = 65'536;
// A line shorter than this leads astray before long; our own reading of the same counter makes it longer.
constexpr std::int64_t kShortLineNs = kNsPerMs;
constexpr std::size_t kId = sizeof(SegmentIdentity::client_id);
constexpr std::size_t kIdPrefix = 64;  // what is left of limits::kOperationId is the numbers'

using Bytes = std::span<const std::byte>;

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A text of a fixed place, padded with NUL.
std::string_view padded_text(Bytes bytes, std::size_t offset, std::size_t size) {
  const std::string_view all = text_of(bytes.subspan(offset, size));
  return all.substr(0, all.find('\0'));
}

bool is_id(std::string_view text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == kId && std::all_of(text.begin(), text.end(), is_digit);
}

template <std::size_t size>
Result<std::array<std::byte, size>> read_struct(const SegmentFile& file, std::uint64_t offset) {
  std::array<std::byte, size> bytes;
  if (const auto read = file.read(offset, bytes); !read) return read.error();
  return bytes;
}

constexpr std::size_t offset_of_loss(std::size_t index) {
  return offsetof(SegmentHeader, losses) + index * sizeof(SegmentLoss);
}

CounterTimeline timeline_of(Bytes header) {
  const Bytes calibration = header.subspan(offsetof(SegmentHeader, calibration), sizeof(SegmentCalibration));
  const auto current = load<std::uint32_t>(calibration, offsetof(SegmentCalibration, current)) & 1;
  CounterTimeline timeline(load<CalibrationLine>(
      calibration, offsetof(SegmentCalibration, lines) + current * sizeof(CalibrationLine)));
  const auto counter = load<CounterKind>(calibration, offsetof(SegmentCalibration, counter));
  if (timeline.length_ns() < kShortLineNs && counter == raw_counter::kind()) {
    timeline.add(CounterReading::take());
  }
  return timeline;
}

// Sets back the counts that these marks say.
template <class Counts>
void take_back(Counts& counts, Bytes marks) {
  for (std::size_t i = 0; i < kLossMarks; ++i) {
    const auto mark = load<SegmentLossMark>(marks, i * sizeof(SegmentLossMark));
    if (mark.loss < counts.size()) counts[mark.loss] = std::min(counts[mark.loss], mark.operations);
  }
}

}  // namespace

Result<SegmentReader> SegmentReader::open(int file) {
  SegmentReader reader(file);
  const auto opened = SegmentFile::of(file);
  if (!opened) return opened.error();
  const auto header = read_struct<sizeof(SegmentHeader)>(*opened, 0);
  if (!header) return header.error();
  if (const auto read = reader.read_header(*header, opened->size()); !read) return read.error();
  if (const auto read = reader.read_blocks(); !read) return read.error();
  reader.take_turn_back(*header);
  reader.name_losses(*header);
  return reader;
}

Result<> SegmentReader::read_header(Bytes header, std::uint64_t file_bytes) {
  if (load<std::uint64_t>(header, offsetof(SegmentHeader, magic)) != kSegmentMagic)
    return Errc::corrupt_state;
  if (load<std::uint32_t>(header, offsetof(SegmentHeader, version)) != kSegmentVersion) {
    return Errc::unsupported_protocol;
  }
  page_ = load<std::uint32_t>(header, offsetof(SegmentHeader, page_bytes));
  end_ = load<std::uint64_t>(header, offsetof(SegmentHeader, end));
  const bool fits = std::has_single_bit(page_) && page_ >= kSmallestPage && page_ <= kLargestPage &&
                    end_ % page_ == 0 && end_ >= page_ && end_ <= file_bytes && end_ <= limits::kSegmentBytes;
  if (!fits) return Errc::corrupt_state;
  pid_ = load<std::uint32_t>(header, offsetof(SegmentHeader, pid));
  adopted_ = load<Adopted>(header, offsetof(SegmentHeader, adopted));
  has_ended_ = load<std::uint32_t>(header, offsetof(SegmentHeader, ended)) != 0;
  const std::size_t identity =
      offsetof(SegmentHeader, identities) +
      (load<std::uint32_t>(header, offsetof(SegmentHeader, identity)) & 1) * sizeof(SegmentIdentity);
  client_id_ = padded_text(header, identity + offsetof(SegmentIdentity, client_id), kId);
  store_id_ = padded_text(header, identity + offsetof(SegmentIdentity, store_id), kId);
  is_confirmed_ =
      load<std::uint32_t>(header, identity + offsetof(SegmentIdentity, confirmed)) != 0 && !store_id_.empty();
  if (!is_id(client_id_) || !(store_id_.empty() || is_id(store_id_))) return Errc::corrupt_state;
  timeline_ = timeline_of(header);
  for (std::size_t i = 0; i < kSegmentLosses; ++i) {
    loss_counts_[i] = load<std::uint64_t>(header, offset_of_loss(i) + offsetof(SegmentLoss, operations));
  }
  return {};
}

// Its records are still in their ring.
void SegmentReader::take_turn_back(Bytes header) {
  const Bytes turn = header.subspan(offsetof(SegmentHeader, turn), sizeof(SegmentTurn));
  if (load<std::uint32_t>(turn, offsetof(SegmentTurn, set)) == 0) return;
  const auto stream = load<std::uint32_t>(turn, offsetof(SegmentTurn, stream));
  const auto taken = load<std::uint64_t>(turn, offsetof(SegmentTurn, taken));
  for (const SegmentRing& ring : rings_) {
    if (ring.stream != stream || ring.position.taken != taken) continue;
    take_back(loss_counts_, turn.subspan(offsetof(SegmentTurn, marks)));
  }
}

void SegmentReader::name_losses(Bytes header) {
  const auto used = load<std::uint32_t>(header, offsetof(SegmentHeader, losses_used));
  for (std::size_t i = 0; i < std::min<std::size_t>(used, kSegmentLosses); ++i) {
    const std::size_t loss = offset_of_loss(i);
    const auto sink = padded_text(header, loss + offsetof(SegmentLoss, sink), sizeof(SegmentLoss::sink));
    const auto cause = padded_text(header, loss + offsetof(SegmentLoss, cause), sizeof(SegmentLoss::cause));
    const std::uint64_t operations = loss_counts_[i];
    if (operations == 0 || operations > limits::kWhole || !is_type_name(sink) || !is_type_name(cause))
      continue;
    losses_[std::string(sink)][std::string(cause)] = operations;
  }
}

Result<> SegmentReader::read_blocks() {
  const auto file = SegmentFile::of(file_);
  if (!file) return file.error();
  std::size_t blocks = 0;
  for (std::uint64_t offset = page_; offset < end_;) {
    const auto bytes = read_struct<sizeof(BlockHeader)>(*file, offset);
    if (!bytes) return bytes.error();
    const Block block{.kind = load<BlockKind>(*bytes, offsetof(BlockHeader, kind)),
                      .number = load<std::uint32_t>(*bytes, offsetof(BlockHeader, number)),
                      .offset = offset,
                      .bytes = load<std::uint64_t>(*bytes, offsetof(BlockHeader, bytes))};
    if (block.bytes == 0 || block.bytes % page_ != 0 || block.bytes > end_ - offset)
      return Errc::corrupt_state;
    if (++blocks > limits::kSegmentBlocks) return Errc::corrupt_state;
    if (const auto read = read_block(block); !read) return read;
    offset += block.bytes;
  }
  std::sort(queue_.begin(), queue_.end(), [](const auto& a, const auto& b) { return a.order < b.order; });
  return check_rings();
}

Result<> SegmentReader::read_block(const Block& block) {
  switch (block.kind) {
    case BlockKind::ring: return read_ring(block);
    case BlockKind::queue: return read_queue_part(block);
    case BlockKind::run: return read_run(block);
    case BlockKind::append: return read_append(block);
    case BlockKind::dictionary: return note_text<DictionaryBlock>(block, dictionary_);
    case BlockKind::definitions: return note_text<DefinitionsBlock>(block, definitions_);
    case BlockKind::none: break;
  }
  return {};
}

Result<> SegmentReader::read_ring(const Block& block) {
  const auto file = SegmentFile::of(file_);
  if (!file) return file.error();
  const auto bytes = read_struct<sizeof(RingBlock)>(*file, block.offset);
  if (!bytes) return bytes.error();
  const auto current = load<std::uint32_t>(*bytes, offsetof(RingBlock, current)) & 1;
  const SegmentRing ring{.stream = block.number,
                         .offset = block.offset + page_,
                         .capacity = load<std::uint64_t>(*bytes, offsetof(RingBlock, capacity)),
                         .head = load<std::uint64_t>(*bytes, offsetof(RingBlock, head)),
                         .committed = load<std::uint64_t>(*bytes, offsetof(RingBlock, committed)),
                         .position = load<RingPosition>(
                             *bytes, offsetof(RingBlock, positions) + current * sizeof(RingPosition))};
  if (ring.capacity == 0) return {};  // it is not there yet
  const RingPosition& at = ring.position;
  const bool has_room = std::has_single_bit(ring.capacity) && ring.capacity <= block.bytes - page_;
  const bool is_aligned = (ring.head | at.taken_to | at.written_to) % kRecordPadding == 0;
  const bool is_in_order = at.written_to <= at.taken_to && at.taken_to <= ring.head;
  const bool is_counted = at.written <= at.taken && at.sequence <= at.taken && at.taken <= limits::kWhole;
  if (!has_room || !is_aligned || !is_in_order || !is_counted || ring.head - at.written_to > ring.capacity ||
      ring.stream >= limits::kMetricsStream) {
    return Errc::corrupt_state;
  }
  rings_.push_back(ring);
  return {};
}

Result<> SegmentReader::check_rings() {
  std::sort(rings_.begin(), rings_.end(), [](const auto& a, const auto& b) { return a.stream < b.stream; });
  const auto twice = std::adjacent_find(rings_.begin(), rings_.end(),
                                        [](const auto& a, const auto& b) { return a.stream == b.stream; });
  return twice == rings_.end() ? Result<>() : Errc::corrupt_state;
}

Result<> SegmentReader::read_queue_part(const Block& block) {
  const auto file = SegmentFile::of(file_);
  if (!file) return file.error();
  const auto bytes = read_struct<sizeof(QueueBlock)>(*file, block.offset);
  if (!bytes) return bytes.error();
  const auto order = load<std::uint64_t>(*bytes, offsetof(QueueBlock, order));
  if (order == 0) return {};
  const auto begin = load<std::uint64_t>(*bytes, offsetof(QueueBlock, begin));
  const auto end = load<std::uint64_t>(*bytes, offsetof(QueueBlock, end));
  const bool fits = begin >= sizeof(QueueBlock) && begin <= end && end <= block.bytes &&
                    (begin | end) % kRecordPadding == 0;
  if (!fits) return Errc::corrupt_state;
  queue_.push_back({.order = order, .begin = block.offset + begin, .end = block.offset + end});
  return {};
}

// What lies behind the struct of a block that says how much of it is used.
template <class Struct>
Result<> SegmentReader::note_text(const Block& block, std::vector<TextBlock>& blocks) {
  const auto file = SegmentFile::of(file_);
  if (!file) return file.error();
  const auto head = read_struct<sizeof(Struct)>(*file, block.offset);
  if (!head) return head.error();
  const auto used = load<std::uint64_t>(*head, offsetof(Struct, used));
  if (used > block.bytes - sizeof(Struct) || !takes_text(used)) return Errc::corrupt_state;
  blocks.push_back({block, sizeof(Struct), used});
  return {};
}

// Blocks may be many, and mostly holes.
bool SegmentReader::takes_text(std::uint64_t bytes) {
  if (bytes > limits::kSegmentText || bytes > limits::kSegmentTexts - texts_) return false;
  texts_ += bytes;
  return true;
}

Result<std::string> SegmentReader::read_text(const TextBlock& block) const {
  const auto file = SegmentFile::of(file_);
  if (!file) return file.error();
  std::string text(block.used, '\0');
  const auto read = file->read(block.block.offset + block.text, std::as_writable_bytes(std::span(text)));
  if (!read) return read.error();
  return text;
}

// A client has one.
Result<> SegmentReader::read_run(const Block& block) {
  const auto file = SegmentFile::of(file_);
  if (!file) return file.error();
  const auto bytes = read_struct<sizeof(RunBlock)>(*file, block.offset);
  if (!bytes) return bytes.error();
  if (std::exchange(has_run_, true)) return Errc::corrupt_state;
  if (load<std::uint32_t>(*bytes, offsetof(RunBlock, whole)) != 1) return {};
  const auto lengths = load<std::array<std::uint32_t, kRunTexts>>(*bytes, offsetof(RunBlock, lengths));
  std::uint64_t sum = 0;
  for (const std::uint32_t length : lengths) sum += length;
  if (sum > block.bytes - sizeof(RunBlock) || !takes_text(sum)) return Errc::corrupt_state;
  const auto texts = read_text({block, sizeof(RunBlock), sum});
  if (!texts) return texts.error();
  std::string_view left = *texts;
  const auto take = [&](RunText which) {
    const std::string_view text = left.substr(0, lengths[static_cast<std::size_t>(which)]);
    left.remove_prefix(text.size());
    return text;
  };
  run_.run_start = take(RunText::run_start);
  run_.directory = take(RunText::directory);
  run_.workload_type = take(RunText::workload_type);
  static_cast<void>(assign_clean(run_.driver, take(RunText::driver), limits::kDriver));
  static_cast<void>(assign_clean(run_.id_prefix, take(RunText::id_prefix), kIdPrefix));
  const bool is_path = run_.directory.starts_with('/') && run_.directory.find('\0') == std::string::npos;
  if (!is_path) run_.directory.clear();
  return {};
}

Result<> SegmentReader::read_append(const Block& block) {
  const auto file = SegmentFile::of(file_);
  if (!file) return file.error();
  const auto bytes = read_struct<sizeof(AppendBlock)>(*file, block.offset);
  if (!bytes) return bytes.error();
  SegmentAppend append{.block = block.offset,
                       .state = load<AppendState>(*bytes, offsetof(AppendBlock, state)),
                       .file_bytes = load<std::uint64_t>(*bytes, offsetof(AppendBlock, file_bytes)),
                       .text_offset = block.offset + page_,
                       .text_bytes = load<std::uint64_t>(*bytes, offsetof(AppendBlock, text_bytes))};
  if (append_ || append.state > AppendState::completed) return Errc::corrupt_state;  // a client has one
  if (append.state != AppendState::gathering) {
    const auto used = load<std::uint32_t>(*bytes, offsetof(AppendBlock, spans_used));
    if (used > kAppendSpans || append.text_bytes > block.bytes - page_) return Errc::corrupt_state;
    for (std::size_t i = 0; i < used; ++i) {
      append.spans.push_back(load<AppendSpan>(*bytes, offsetof(AppendBlock, spans) + i * sizeof(AppendSpan)));
    }
  }
  if (append.state == AppendState::appending) {
    take_back(loss_counts_, Bytes(*bytes).subspan(offsetof(AppendBlock, marks)));
  }
  append_ = std::move(append);
  return {};
}

namespace {

// Adds the entries that lie one after the other in `bytes`.
Result<> add_names(SegmentNames& names, Bytes bytes) {
  while (!bytes.empty()) {
    if (bytes.size() < sizeof(DictionaryEntry)) return Errc::corrupt_state;
    const auto entry = load<DictionaryEntry>(bytes, 0);
    const std::size_t texts = std::size_t{entry.lengths[0]} + entry.lengths[1] + entry.lengths[2];
    const bool fits =
        entry.size % kRecordPadding == 0 && entry.size <= bytes.size() && entry.size >= sizeof entry + texts;
    if (!fits || entry.handle != names.size() || names.size() == limits::kSegmentHandles) {
      return Errc::corrupt_state;
    }
    std::string_view left = text_of(bytes.subspan(sizeof entry, texts));
    const auto take = [&left](std::size_t size) {
      const std::string_view text = left.substr(0, size);
      left.remove_prefix(size);
      return text;
    };
    const std::string_view operation_type = take(entry.lengths[0]);
    const std::string_view workload_type = take(entry.lengths[1]);
    names.add(RecordNames::of(operation_type, workload_type, left));
    bytes = bytes.subspan(entry.size);
  }
  return {};
}

}  // namespace

Result<SegmentNames> SegmentReader::read_names() const {
  SegmentNames names;
  std::uint32_t number = 0;
  for (const TextBlock& block : dictionary_) {
    if (block.block.number != number++) return Errc::corrupt_state;
    const auto text = read_text(block);
    if (!text) return text.error();
    if (const auto added = add_names(names, std::as_bytes(std::span(*text))); !added) return added.error();
  }
  return names;
}

Result<std::string> SegmentReader::read_definitions(std::size_t part) const {
  return read_text(definitions_.at(part));
}

}  // namespace metricsd::ipc
