#include "record.h"

#include "intake.h"
#include "raw_counter.h"
#include "thread_rings.h"

#include <metricsd/ipc/segment_record.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <numeric>
#include <optional>

namespace metricsd::client {
namespace {

using ipc::kRecordPadding;
using ipc::kRecordTexts;
using ipc::RecordHeader;

using Texts = std::array<std::string_view, kRecordTexts>;
using WallTime = std::optional<std::chrono::system_clock::time_point>;

// The longest UTF-8 character: copied beyond a limit, it leaves the last whole character within it.
constexpr std::size_t kSlack = 4;

// In the order of ipc::RecordText.
constexpr std::array<std::size_t, kRecordTexts> kCopied{
    limits::kTypeName + kSlack,     limits::kObjectKey + kSlack,        limits::kErrorCode + kSlack,
    limits::kErrorMessage + kSlack, limits::kTypeName + kSlack,         limits::kDriver + kSlack,
    limits::kUserId + kSlack,       limits::kRecordedMetadata + kSlack, limits::kOperationId + kSlack};
constexpr std::size_t kShort = limits::kTypeName;  // no text of this length is too long
static_assert(*std::max_element(kCopied.begin(), kCopied.end()) <= UINT16_MAX);
static_assert(*std::min_element(kCopied.begin(), kCopied.end()) >= kShort);

constexpr std::size_t padded(std::size_t size) {
  return (size + kRecordPadding - 1) / kRecordPadding * kRecordPadding;
}

std::int64_t since_epoch_ns(std::chrono::system_clock::time_point at) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

Timing timing_of(const WallTime& start, std::chrono::nanoseconds duration) {
  if (start) return {since_epoch_ns(*start), duration.count(), 0};
  return {raw_counter::now(), duration.count(), ipc::record_flags::kEndTicks};
}

// What each record that is not bound and plain has.
struct Head {
  std::uint32_t handle;
  bool success;
  std::uint64_t object_size_bytes;
  std::uint64_t retry_count;
  const WallTime& intended_start;
};

// The ring of the calling thread, or null where the operation is turned away.
inline Ring* ring_of(const Gate& gate) noexcept {
  if (gate.ticket.load(std::memory_order_relaxed) == t_cached_ring.ticket) [[likely]]
    return t_cached_ring.ring;
  return Intake::find_ring(gate);
}

// A call of memcpy costs more than most texts do. Every byte is written by one of two moves that may overlap.
inline void copy_text(std::byte* out, const char* text, std::size_t size) noexcept {
  const auto move_both = [&]<class Word>(Word) {
    Word first;
    Word last;
    std::memcpy(&first, text, sizeof first);
    std::memcpy(&last, text + size - sizeof last, sizeof last);
    std::memcpy(out, &first, sizeof first);
    std::memcpy(out + size - sizeof last, &last, sizeof last);
  };
  struct Sixteen {
    std::uint64_t words[2];
  };
  if (size > 2 * sizeof(Sixteen)) {
    std::memcpy(out, text, size);
  } else if (size >= sizeof(Sixteen)) {
    move_both(Sixteen{});
  } else if (size >= sizeof(std::uint64_t)) {
    move_both(std::uint64_t{});
  } else if (size >= sizeof(std::uint32_t)) {
    move_both(std::uint32_t{});
  } else {
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(text[i]);
  }
}

void write_record(const Gate& gate, const Head& head, const Timing& timing, const Texts& texts) noexcept {
  Ring* ring = ring_of(gate);
  if (ring == nullptr) [[unlikely]]
    return;

  std::size_t longest = 0;
  for (const std::string_view text : texts) longest |= text.size();
  std::array<std::uint16_t, kRecordTexts> lengths;
  std::size_t size = sizeof(RecordHeader);
  for (std::size_t i = 0; i < kRecordTexts; ++i) {
    const std::size_t length = longest <= kShort ? texts[i].size() : std::min(texts[i].size(), kCopied[i]);
    lengths[i] = static_cast<std::uint16_t>(length);
    size += length;
  }
  if (head.intended_start) size += sizeof(std::int64_t);
  size = padded(size);

  std::byte* const record = Intake::reserve(gate, *ring, size);
  if (record == nullptr) [[unlikely]]
    return;
  const std::uint16_t success = head.success ? ipc::record_flags::kSuccess : 0;
  const std::uint16_t intended = head.intended_start ? ipc::record_flags::kIntendedStart : 0;
  ::new (record) RecordHeader{.size = static_cast<std::uint32_t>(size),
                              .handle = head.handle,
                              .start = timing.start,
                              .duration = timing.duration,
                              .object_size_bytes = head.object_size_bytes,
                              .retry_count = head.retry_count,
                              .lengths = lengths,
                              .flags = static_cast<std::uint16_t>(timing.flags | success | intended),
                              .reserved = 0};
  std::byte* out = record + sizeof(RecordHeader);
  if (head.intended_start) {
    const std::int64_t at = since_epoch_ns(*head.intended_start);
    std::memcpy(out, &at, sizeof at);
    out += sizeof at;
  }
  for (std::size_t i = 0; i < kRecordTexts; ++i) {
    if (lengths[i] == 0) continue;
    copy_text(out, texts[i].data(), lengths[i]);
    out += lengths[i];
  }
  ring->commit(record, size);
}

}  // namespace

Timing Timing::since(std::int64_t start_ticks) noexcept {
  return {start_ticks, raw_counter::now() - start_ticks, ipc::record_flags::kTicks};
}

std::size_t largest_record() noexcept {
  return padded(std::accumulate(kCopied.begin(), kCopied.end(), sizeof(RecordHeader) + sizeof(std::int64_t)));
}

void record_operation(const Gate& gate, const Operation& operation) noexcept {
  record_operation(gate, operation, timing_of(operation.start, operation.duration));
}

void record_operation(const Gate& gate, const Operation& operation, const Timing& timing) noexcept {
  write_record(gate,
               {Handles::kNone, operation.success, operation.object_size_bytes, operation.retry_count,
                operation.intended_start},
               timing,
               {operation.operation_type, operation.object_key, operation.error_code, operation.error_message,
                operation.workload_type, operation.driver, operation.user_id, operation.metadata,
                operation.operation_id});
}

void record_bound(const Gate& gate, std::uint32_t handle, const BoundRecord& record) noexcept {
  record_bound(gate, handle, record, timing_of(record.start, record.duration));
}

void record_bound(const Gate& gate, std::uint32_t handle, const BoundRecord& record,
                  const Timing& timing) noexcept {
  write_record(gate,
               {handle, record.success, record.object_size_bytes, record.retry_count, record.intended_start},
               timing,
               Texts{std::string_view(),
                     record.object_key,
                     record.error_code,
                     record.error_message,
                     {},
                     {},
                     record.user_id,
                     record.metadata,
                     record.operation_id});
}

// The shortest way there is: the header and nothing else.
void BoundOperation::record_figures(const Gate* gate, std::uint64_t handle_and_flags, std::int64_t start,
                                    std::int64_t duration, std::uint64_t object_size_bytes,
                                    std::uint64_t retry_count) noexcept {
  static_assert(kSuccess >> kFlagShift == ipc::record_flags::kSuccess);
  static_assert(kNoStart >> kFlagShift == ipc::record_flags::kEndTicks);
  static_assert(kTicks >> kFlagShift == ipc::record_flags::kTicks);
  Ring* ring = ring_of(*gate);
  if (ring == nullptr) [[unlikely]]
    return;
  std::byte* const record = Intake::reserve(*gate, *ring, sizeof(RecordHeader));
  if (record == nullptr) [[unlikely]]
    return;
  if ((handle_and_flags & kNoStart) != 0) start = raw_counter::now();
  ::new (record) RecordHeader{.size = sizeof(RecordHeader),
                              .handle = static_cast<std::uint32_t>(handle_and_flags),
                              .start = start,
                              .duration = duration,
                              .object_size_bytes = object_size_bytes,
                              .retry_count = retry_count,
                              .lengths = {},
                              .flags = static_cast<std::uint16_t>(handle_and_flags >> kFlagShift),
                              .reserved = 0};
  ring->commit(record, sizeof(RecordHeader));
}

}  // namespace metricsd::client
