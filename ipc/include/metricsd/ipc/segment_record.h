// One operation in a ring of a segment (segment_layout.h): a header of one cache line, then, where the flags
// say so, the intended start, then the texts one after the other without separators, padded to 8 bytes.
//
// An operation with a handle and no texts is exactly the header.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace metricsd::ipc {

// The texts of a record, in the order in which they lie.
enum class RecordText : std::size_t {
  operation_type,
  object_key,
  error_code,
  error_message,
  workload_type,
  driver,
  user_id,
  metadata,
  operation_id,
};
inline constexpr std::size_t kRecordTexts = static_cast<std::size_t>(RecordText::operation_id) + 1;
inline constexpr std::size_t kRecordPadding = 8;

namespace record_flags {
inline constexpr std::uint16_t kSuccess = 1;
inline constexpr std::uint16_t kIntendedStart = 2;
inline constexpr std::uint16_t kTicks = 4;     // start and duration are of the raw counter
inline constexpr std::uint16_t kEndTicks = 8;  // start is the raw counter's reading at the operation's end
}  // namespace record_flags

struct RecordHeader {
  std::uint32_t size;    // of the whole record, padding included
  std::uint32_t handle;  // of the dictionary; 0: none, the texts say it all
  std::int64_t start;    // nanoseconds since 1970, UTC, where no flag says otherwise
  std::int64_t duration;
  std::uint64_t object_size_bytes;
  std::uint64_t retry_count;
  std::array<std::uint16_t, kRecordTexts> lengths;
  std::uint16_t flags;
  std::uint32_t reserved;
};
static_assert(sizeof(RecordHeader) == 64);

// A record as read. The texts are views into the bytes it was read from.
struct Record {
  RecordHeader header{};
  std::int64_t intended_start_ns = 0;  // where has_intended_start()
  std::array<std::string_view, kRecordTexts> texts{};

  [[nodiscard]] bool has(std::uint16_t flag) const { return (header.flags & flag) != 0; }
  [[nodiscard]] std::string_view text(RecordText which) const {
    return texts[static_cast<std::size_t>(which)];
  }
};

// Reads the record at the start of `bytes`, believing none of it. False where it contradicts itself or leads
// out of `bytes`; `out` is then unspecified.
[[nodiscard]] inline bool decode_record(std::span<const std::byte> bytes, Record& out) {
  if (bytes.size() < sizeof(RecordHeader)) return false;
  std::memcpy(&out.header, bytes.data(), sizeof(RecordHeader));
  const std::size_t size = out.header.size;
  if (size < sizeof(RecordHeader) || size > bytes.size() || size % kRecordPadding != 0) return false;
  std::size_t at = sizeof(RecordHeader);
  if (out.has(record_flags::kIntendedStart)) {
    if (size - at < sizeof out.intended_start_ns) return false;
    std::memcpy(&out.intended_start_ns, bytes.data() + at, sizeof out.intended_start_ns);
    at += sizeof out.intended_start_ns;
  }
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  for (std::size_t i = 0; i < kRecordTexts; ++i) {
    out.texts[i] = {text + at, out.header.lengths[i]};
    at += out.header.lengths[i];  // nine of 16 bits: far from an overflow, and checked before any is used
  }
  return at <= size;
}

}  // namespace metricsd::ipc
