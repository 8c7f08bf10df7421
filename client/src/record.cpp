#include "record.h"

#include "intake.h"
#include "thread_rings.h"

#include <metricsd/ipc/raw_counter.h>
#include <metricsd/ipc/record_names.h>
#include <metricsd/ipc/segment_record.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <numeric>
#include <optional>
#include <type_traits>
#include <utility>

namespace metricsd::client {
namespace {

using ipc::kRecordPadding;
using ipc::kRecordTexts;
using ipc::RecordHeader;

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
  return {ipc::raw_counter::now(), duration.count(), ipc::record_flags::kEndTicks};
}

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

// Where a record's texts come from, in the order of ipc::RecordText; null: it has none of this kind.
template <class Source>
using Texts = std::array<std::string_view Source::*, kRecordTexts>;

constexpr Texts<Operation> kTextsOfOperation{
    &Operation::operation_type, &Operation::object_key,    &Operation::error_code,
    &Operation::error_message,  &Operation::workload_type, &Operation::driver,
    &Operation::user_id,        &Operation::metadata,      &Operation::operation_id};
constexpr Texts<BoundRecord> kTextsOfBoundRecord{
    nullptr, &BoundRecord::object_key, &BoundRecord::error_code, &BoundRecord::error_message, nullptr,
    nullptr, &BoundRecord::user_id,    &BoundRecord::metadata,   &BoundRecord::operation_id};

// Loops that are unrolled here and not left to the compiler's judgement: most texts are absent in most
// records, and then cost an addition of 0.
template <class Source, const Texts<Source>& texts>
struct TextsOf {
  template <class Visit>
  static void for_each(const Source& source, const Visit& visit) {
    [&]<std::size_t... i>(std::index_sequence<i...>) {
      (visit_one<i>(source, visit), ...);
    }
    (std::make_index_sequence<kRecordTexts>());
  }
  template <std::size_t i, class Visit>
  static void visit_one(const Source& source, const Visit& visit) {
    if constexpr (texts[i] != nullptr) visit(std::integral_constant<std::size_t, i>(), source.*texts[i]);
  }
};

template <const auto& texts, class Source>
void write_record(const Gate& gate, std::uint32_t handle, const Source& source,
                  const Timing& timing) noexcept {
  using Each = TextsOf<Source, texts>;
  Ring* ring = ring_of(gate);
  if (ring == nullptr) [[unlikely]]
    return;

  std::size_t longest = 0;
  std::size_t size = sizeof(RecordHeader);
  Each::for_each(source, [&](auto, std::string_view text) {
    longest |= text.size();
    size += text.size();
  });
  std::array<std::uint16_t, kRecordTexts> lengths{};
  if (longest <= kShort) [[likely]] {
    Each::for_each(
        source, [&](auto i, std::string_view text) { lengths[i] = static_cast<std::uint16_t>(text.size()); });
  } else {
    size = sizeof(RecordHeader);
    Each::for_each(source, [&](auto i, std::string_view text) {
      lengths[i] = static_cast<std::uint16_t>(std::min(text.size(), kCopied[i]));
      size += lengths[i];
    });
  }
  if (source.intended_start) size += sizeof(std::int64_t);
  size = padded(size);

  std::byte* const record = Intake::reserve(gate, *ring, size);
  if (record == nullptr) [[unlikely]]
    return;
  const std::uint16_t success = source.success ? ipc::record_flags::kSuccess : 0;
  const std::uint16_t intended = source.intended_start ? ipc::record_flags::kIntendedStart : 0;
  ::new (record) RecordHeader{.size = static_cast<std::uint32_t>(size),
                              .handle = handle,
                              .start = timing.start,
                              .duration = timing.duration,
                              .object_size_bytes = source.object_size_bytes,
                              .retry_count = source.retry_count,
                              .lengths = lengths,
                              .flags = static_cast<std::uint16_t>(timing.flags | success | intended),
                              .reserved = 0};
  std::byte* out = record + sizeof(RecordHeader);
  if (source.intended_start) {
    const std::int64_t at = since_epoch_ns(*source.intended_start);
    std::memcpy(out, &at, sizeof at);
    out += sizeof at;
  }
  Each::for_each(source, [&](auto i, std::string_view text) {
    if (text.empty()) return;
    const std::size_t length = longest <= kShort ? text.size() : std::min(text.size(), kCopied[i]);
    copy_text(out, text.data(), length);
    out += length;
  });
  ring->commit(record, size);
}

}  // namespace

Timing Timing::since(std::int64_t start_ticks) noexcept {
  return {start_ticks, ipc::raw_counter::now() - start_ticks, ipc::record_flags::kTicks};
}

std::size_t largest_record() noexcept {
  return padded(std::accumulate(kCopied.begin(), kCopied.end(), sizeof(RecordHeader) + sizeof(std::int64_t)));
}

void record_operation(const Gate& gate, const Operation& operation) noexcept {
  record_operation(gate, operation, timing_of(operation.start, operation.duration));
}

void record_operation(const Gate& gate, const Operation& operation, const Timing& timing) noexcept {
  write_record<kTextsOfOperation>(gate, ipc::kNoHandle, operation, timing);
}

void record_bound(const Gate& gate, std::uint32_t handle, const BoundRecord& record) noexcept {
  record_bound(gate, handle, record, timing_of(record.start, record.duration));
}

void record_bound(const Gate& gate, std::uint32_t handle, const BoundRecord& record,
                  const Timing& timing) noexcept {
  write_record<kTextsOfBoundRecord>(gate, handle, record, timing);
}

namespace {

void write_figures(Ring& ring, std::byte* record, std::uint64_t handle, std::int64_t start,
                   std::int64_t duration, std::uint64_t object_size_bytes, std::uint64_t retry_count,
                   std::uint16_t flags) noexcept {
  ::new (record) RecordHeader{.size = sizeof(RecordHeader),
                              .handle = static_cast<std::uint32_t>(handle),
                              .start = start,
                              .duration = duration,
                              .object_size_bytes = object_size_bytes,
                              .retry_count = retry_count,
                              .lengths = {},
                              .flags = flags,
                              .reserved = 0};
  ring.commit(record, sizeof(RecordHeader));
}

}  // namespace

// The shortest way there is: the header and nothing else. What needs a call is in the other function, so that
// this one saves no register.
void BoundOperation::record_figures(const Gate* gate, std::uint64_t handle_and_flags, std::int64_t start,
                                    std::int64_t duration, std::uint64_t object_size_bytes,
                                    std::uint64_t retry_count) noexcept {
  static_assert(kSuccess >> kFlagShift == ipc::record_flags::kSuccess);
  static_assert(kNoStart >> kFlagShift == ipc::record_flags::kEndTicks);
  static_assert(kTicks >> kFlagShift == ipc::record_flags::kTicks);
  if (gate->ticket.load(std::memory_order_relaxed) == t_cached_ring.ticket) [[likely]] {
    Ring* ring = t_cached_ring.ring;
    std::byte* const record = ring->reserve(sizeof(RecordHeader));
    if (record != nullptr && (handle_and_flags & kNoStart) == 0) [[likely]] {
      return write_figures(*ring, record, handle_and_flags, start, duration, object_size_bytes, retry_count,
                           static_cast<std::uint16_t>(handle_and_flags >> kFlagShift));
    }
  }
  record_figures_slowly(gate, handle_and_flags, start, duration, object_size_bytes, retry_count);
}

void BoundOperation::record_figures_slowly(const Gate* gate, std::uint64_t handle_and_flags,
                                           std::int64_t start, std::int64_t duration,
                                           std::uint64_t object_size_bytes,
                                           std::uint64_t retry_count) noexcept {
  Ring* ring = ring_of(*gate);
  if (ring == nullptr) return;
  std::byte* const record = Intake::reserve(*gate, *ring, sizeof(RecordHeader));
  if (record == nullptr) return;
  if ((handle_and_flags & kNoStart) != 0) start = ipc::raw_counter::now();
  write_figures(*ring, record, handle_and_flags, start, duration, object_size_bytes, retry_count,
                static_cast<std::uint16_t>(handle_and_flags >> kFlagShift));
}

}  // namespace metricsd::client
