#include <metricsd/ipc/batch.h>
#include <metricsd/support/segment_image.h>

#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace metricsd::support {
namespace {

constexpr std::size_t kPadding = ipc::kRecordPadding;

std::string padded(std::string bytes) {
  bytes.resize((bytes.size() + kPadding - 1) / kPadding * kPadding);
  return bytes;
}

template <class T>
std::string_view raw(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

void write_all(int file, const std::vector<std::byte>& bytes) {
  if (::write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    throw std::runtime_error("cannot write a segment");
  }
}

}  // namespace

SegmentImage::SegmentImage() : bytes_(kPage) {
  header().magic = ipc::kSegmentMagic;
  header().version = ipc::kSegmentVersion;
  header().page_bytes = kPage;
  header().end = kPage;
  header().pid = 4711;
  kClient.copy(header().identities[0].client_id, kClient.size());
  header().calibration.lines[0] = {.first_ticks = 0,
                                   .first_monotonic_ns = 0,
                                   .last_ticks = 3'000'000'000,
                                   .last_monotonic_ns = 1'000'000'000,
                                   .wall_minus_monotonic_ns = 1'700'000'000'000'000'000};
}

std::string SegmentImage::record(std::string_view operation_type, std::int64_t duration_ns,
                                 std::uint64_t bytes, std::string_view operation_id) {
  ipc::RecordHeader header{};
  header.start = 1'700'000'000'000'000'000;
  header.duration = duration_ns;
  header.object_size_bytes = bytes;
  header.flags = ipc::record_flags::kSuccess;
  header.lengths[static_cast<std::size_t>(ipc::RecordText::operation_type)] =
      static_cast<std::uint16_t>(operation_type.size());
  header.lengths[static_cast<std::size_t>(ipc::RecordText::operation_id)] =
      static_cast<std::uint16_t>(operation_id.size());
  std::string record = padded(std::string(sizeof header, '\0').append(operation_type).append(operation_id));
  header.size = static_cast<std::uint32_t>(record.size());
  return record.replace(0, sizeof header, raw(header));
}

std::string SegmentImage::record(std::uint32_t handle, std::int64_t duration_ns) {
  ipc::RecordHeader header{};
  header.size = sizeof header;
  header.handle = handle;
  header.start = 1'700'000'000'000'000'000;
  header.duration = duration_ns;
  header.flags = ipc::record_flags::kSuccess;
  return std::string(raw(header));
}

SegmentImage::QueueLine SegmentImage::batch(std::uint32_t stream, std::uint64_t first_seq,
                                            std::uint64_t count) {
  ipc::BatchEncoder encoder;
  encoder.begin(stream, first_seq);
  for (std::uint64_t i = 0; i < count; ++i) {
    encoder.add(encoder.shared({.operation_type = "upload",
                                .workload_type = "s3",
                                .driver = "boto",
                                .success = true,
                                .error_code = {}}),
                1'000'000, 0, 0);
  }
  QueueLine line{.stream = stream, .first_seq = first_seq, .last_seq = first_seq + count - 1};
  encoder.finish(line.line);
  return line;
}

std::size_t SegmentImage::add_ring(const RingOptions& options) {
  const std::size_t offset = add_block(ipc::BlockKind::ring, options.stream, kPage + options.capacity);
  ipc::RingPosition position{.taken_to = options.start,
                             .taken = options.written,
                             .sequence = options.sequence,
                             .written_to = options.start,
                             .written = options.written};
  std::uint64_t head = options.start;
  for (std::size_t i = 0; i < options.records.size(); ++i) {
    for (const char c : options.records[i]) {
      bytes_[offset + kPage + (head++ & (options.capacity - 1))] = static_cast<std::byte>(c);
    }
    if (i >= options.taken) continue;
    position.taken_to = head;
    ++position.taken;
  }
  auto& ring = at<ipc::RingBlock>(offset);
  ring.capacity = options.capacity;
  ring.head = head;
  ring.committed = options.written + options.records.size();
  ring.tail = options.start;
  ring.current = 1;
  ring.positions[1] = position;
  return offset;
}

std::size_t SegmentImage::add_dictionary(const std::vector<std::array<std::string, 3>>& names) {
  std::string entries;
  for (std::uint32_t handle = 0; handle < names.size(); ++handle) {
    ipc::DictionaryEntry entry{.size = 0, .handle = handle, .lengths = {}, .reserved = 0};
    std::string texts;
    for (std::size_t i = 0; i < 3; ++i) {
      entry.lengths[i] = static_cast<std::uint16_t>(names[handle][i].size());
      texts += names[handle][i];
    }
    texts = padded(texts);
    entry.size = static_cast<std::uint32_t>(sizeof entry + texts.size());
    entries.append(raw(entry)).append(texts);
  }
  const std::size_t offset =
      add_block(ipc::BlockKind::dictionary, made_[2]++, sizeof(ipc::DictionaryBlock) + entries.size());
  put(offset + sizeof(ipc::DictionaryBlock), entries);
  at<ipc::DictionaryBlock>(offset).used = entries.size();
  return offset;
}

std::size_t SegmentImage::add_queue(std::uint64_t order, const std::vector<QueueLine>& lines) {
  std::string entries;
  for (const QueueLine& line : lines) {
    const std::string text = padded(line.line);
    const ipc::QueueEntry entry{.size = static_cast<std::uint32_t>(sizeof entry + text.size()),
                                .line_bytes = static_cast<std::uint32_t>(line.line.size()),
                                .stream = line.stream,
                                .reserved = 0,
                                .first_seq = line.first_seq,
                                .last_seq = line.last_seq,
                                .operations = line.last_seq - line.first_seq + 1};
    entries.append(raw(entry)).append(text);
  }
  const std::size_t offset =
      add_block(ipc::BlockKind::queue, made_[3]++, sizeof(ipc::QueueBlock) + entries.size());
  put(offset + sizeof(ipc::QueueBlock), entries);
  auto& queue = at<ipc::QueueBlock>(offset);
  queue.order = order;
  queue.begin = sizeof(ipc::QueueBlock);
  queue.end = sizeof(ipc::QueueBlock) + entries.size();
  return offset;
}

std::size_t SegmentImage::add_run(const std::array<std::string, ipc::kRunTexts>& texts) {
  std::string all;
  for (const std::string& text : texts) all += text;
  const std::size_t offset = add_block(ipc::BlockKind::run, made_[4]++, sizeof(ipc::RunBlock) + all.size());
  put(offset + sizeof(ipc::RunBlock), all);
  auto& run = at<ipc::RunBlock>(offset);
  for (std::size_t i = 0; i < texts.size(); ++i) run.lengths[i] = static_cast<std::uint32_t>(texts[i].size());
  run.whole = 1;
  return offset;
}

std::size_t SegmentImage::add_definitions(std::string_view lines) {
  const std::size_t offset =
      add_block(ipc::BlockKind::definitions, made_[5]++, sizeof(ipc::DefinitionsBlock) + lines.size());
  put(offset + sizeof(ipc::DefinitionsBlock), lines);
  at<ipc::DefinitionsBlock>(offset).used = lines.size();
  return offset;
}

std::size_t SegmentImage::add_append(ipc::AppendState state, std::uint64_t file_bytes, std::string_view text,
                                     const std::vector<ipc::AppendSpan>& spans) {
  const std::size_t offset = add_block(ipc::BlockKind::append, made_[6]++, kPage + text.size());
  put(offset + kPage, text);
  auto& append = at<ipc::AppendBlock>(offset);
  append.state = state;
  append.file_bytes = file_bytes;
  append.text_bytes = text.size();
  for (ipc::SegmentLossMark& mark : append.marks) mark.loss = ipc::kNoLoss;
  for (const ipc::AppendSpan& span : spans) append.spans[append.spans_used++] = span;
  return offset;
}

void SegmentImage::set_loss(std::size_t index, std::string_view sink, std::string_view cause,
                            std::uint64_t operations) {
  ipc::SegmentLoss& loss = header().losses[index];
  sink.copy(loss.sink, sizeof loss.sink);
  cause.copy(loss.cause, sizeof loss.cause);
  loss.operations = operations;
  if (header().losses_used <= index) header().losses_used = static_cast<std::uint32_t>(index + 1);
}

void SegmentImage::set_store(std::string_view store_id, bool confirmed) {
  store_id.copy(header().identities[0].store_id, store_id.size());
  header().identities[0].confirmed = confirmed ? 1 : 0;
}

UniqueFd SegmentImage::file() const {
  UniqueFd file(::memfd_create("segment", MFD_CLOEXEC));
  write_all(file.get(), bytes_);
  return file;
}

void SegmentImage::write(const std::string& path) const {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  write_all(file.get(), bytes_);
}

std::size_t SegmentImage::add_block(ipc::BlockKind kind, std::uint32_t number, std::size_t bytes) {
  const std::size_t offset = bytes_.size();
  bytes_.resize(offset + (bytes + kPage - 1) / kPage * kPage);
  auto& block = at<ipc::BlockHeader>(offset);
  block.kind = kind;
  block.number = number;
  block.bytes = bytes_.size() - offset;
  header().end = bytes_.size();
  return offset;
}

void SegmentImage::put(std::size_t offset, std::string_view bytes) {
  std::memcpy(bytes_.data() + offset, bytes.data(), bytes.size());
}

}  // namespace metricsd::support
