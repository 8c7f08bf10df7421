#include "support/left_segment.h"

#include <span>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace metricsd::client::testing {

LeftSegment::LeftSegment(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::uint64_t end = 0;
  EXPECT_EQ(::pread(fd, &end, sizeof end, offsetof(ipc::SegmentHeader, end)),
            static_cast<ssize_t>(sizeof end));
  bytes.resize(end);
  EXPECT_EQ(::pread(fd, bytes.data(), end, 0), static_cast<ssize_t>(end));
  ::close(fd);
  std::memcpy(static_cast<void*>(&header), bytes.data(), sizeof header);
  std::map<std::uint64_t, std::vector<LeftEntry>> queued;  // by the order of their blocks
  for (std::uint64_t begin = header.page_bytes; begin < end;) {
    const auto block = at<ipc::BlockHeader>(begin);
    if (block.kind == ipc::BlockKind::ring) read_ring(begin, block.number);
    if (block.kind == ipc::BlockKind::run) read_run(begin);
    if (block.kind == ipc::BlockKind::append) read_append(begin);
    if (block.kind == ipc::BlockKind::queue) {
      const auto order = at<std::uint64_t>(begin + offsetof(ipc::QueueBlock, order));
      const auto last = at<std::uint64_t>(begin + offsetof(ipc::QueueBlock, end));
      for (auto entry = at<std::uint64_t>(begin + offsetof(ipc::QueueBlock, begin));
           order != 0 && entry < last;) {
        const auto head = at<ipc::QueueEntry>(begin + entry);
        queued[order].push_back({head, bytes.substr(begin + entry + sizeof head, head.line_bytes)});
        entry += head.size;
      }
    }
    begin += block.bytes;
  }
  for (const auto& [order, entries] : queued) queue.insert(queue.end(), entries.begin(), entries.end());
}

void LeftSegment::read_ring(std::uint64_t begin, std::uint32_t stream) {
  LeftRing ring;
  const auto capacity = at<std::uint64_t>(begin + offsetof(ipc::RingBlock, capacity));
  const auto head = at<std::uint64_t>(begin + offsetof(ipc::RingBlock, head));
  const auto current = at<std::uint32_t>(begin + offsetof(ipc::RingBlock, current));
  ring.committed = at<std::uint64_t>(begin + offsetof(ipc::RingBlock, committed));
  ring.position = at<ipc::RingPosition>(begin + offsetof(ipc::RingBlock, positions) +
                                        current * sizeof(ipc::RingPosition));
  const std::uint64_t data = begin + header.page_bytes;
  ring.untaken = count_records(data, capacity, ring.position.taken_to, head);
  ring.unwritten = count_records(data, capacity, ring.position.written_to, head);
  rings[stream] = ring;
}

std::uint64_t LeftSegment::count_records(std::uint64_t data, std::uint64_t capacity, std::uint64_t from,
                                         std::uint64_t to) const {
  std::vector<std::byte> records;
  for (std::uint64_t i = from; i < to; ++i) {
    records.push_back(static_cast<std::byte>(bytes[data + (i & (capacity - 1))]));
  }
  std::span<const std::byte> left = records;
  ipc::Record record;
  std::uint64_t count = 0;
  for (; ipc::decode_record(left, record); ++count) left = left.subspan(record.header.size);
  EXPECT_TRUE(left.empty());
  return count;
}

void LeftSegment::read_run(std::uint64_t begin) {
  std::uint64_t text_at = begin + sizeof(ipc::RunBlock);
  for (std::size_t i = 0; i < ipc::kRunTexts; ++i) {
    const auto length =
        at<std::uint32_t>(begin + offsetof(ipc::RunBlock, lengths) + i * sizeof(std::uint32_t));
    run.push_back(bytes.substr(text_at, length));
    text_at += length;
  }
}

void LeftSegment::read_append(std::uint64_t begin) {
  append_state = at<ipc::AppendState>(begin + offsetof(ipc::AppendBlock, state));
  file_bytes = at<std::uint64_t>(begin + offsetof(ipc::AppendBlock, file_bytes));
  const auto used = at<std::uint32_t>(begin + offsetof(ipc::AppendBlock, spans_used));
  for (std::uint32_t i = 0; i < used; ++i) {
    spans.push_back(
        at<ipc::AppendSpan>(begin + offsetof(ipc::AppendBlock, spans) + i * sizeof(ipc::AppendSpan)));
  }
  text = bytes.substr(begin + header.page_bytes,
                      at<std::uint64_t>(begin + offsetof(ipc::AppendBlock, text_bytes)));
}

}  // namespace metricsd::client::testing
