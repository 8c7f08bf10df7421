#include "record.h"

#include <metricsd/models/limits.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

namespace metricsd::client {
namespace {

// The longest UTF-8 character: copied beyond a limit, it leaves the last whole character within it.
constexpr std::size_t kSlack = 4;

// The texts in the order in which they lie behind the header.
constexpr std::size_t kTexts = 9;
constexpr std::array<std::size_t, kTexts> kCopied{
    limits::kTypeName + kSlack,     limits::kObjectKey + kSlack,        limits::kErrorCode + kSlack,
    limits::kErrorMessage + kSlack, limits::kTypeName + kSlack,         limits::kDriver + kSlack,
    limits::kUserId + kSlack,       limits::kRecordedMetadata + kSlack, limits::kOperationId + kSlack};

struct Header {
  std::int64_t start_ns;
  std::int64_t intended_start_ns;
  std::int64_t duration_ns;
  std::uint64_t object_size_bytes;
  std::uint64_t retry_count;
  std::array<std::uint16_t, kTexts> lengths;
  std::uint8_t success;
  std::uint8_t has_intended_start;
};
static_assert(sizeof(Header) == 64);
static_assert(*std::max_element(kCopied.begin(), kCopied.end()) <= UINT16_MAX);

std::int64_t since_epoch_ns(std::chrono::system_clock::time_point at) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

}  // namespace

std::size_t largest_record() noexcept {
  return std::accumulate(kCopied.begin(), kCopied.end(), sizeof(Header));
}

bool write_record(Ring& ring, const Operation& operation, std::int64_t start_ns) noexcept {
  const std::array<std::string_view, kTexts> texts{
      operation.operation_type, operation.object_key,    operation.error_code,
      operation.error_message,  operation.workload_type, operation.driver,
      operation.user_id,        operation.metadata,      operation.operation_id};
  Header header{.start_ns = start_ns,
                .intended_start_ns = operation.intended_start ? since_epoch_ns(*operation.intended_start) : 0,
                .duration_ns = operation.duration.count(),
                .object_size_bytes = operation.object_size_bytes,
                .retry_count = operation.retry_count,
                .lengths = {},
                .success = operation.success,
                .has_intended_start = operation.intended_start.has_value()};
  std::size_t size = sizeof header;
  for (std::size_t i = 0; i < kTexts; ++i) {
    header.lengths[i] = static_cast<std::uint16_t>(std::min(texts[i].size(), kCopied[i]));
    size += header.lengths[i];
  }
  std::byte* out = ring.reserve(size);
  if (out == nullptr) return false;
  std::memcpy(out, &header, sizeof header);
  out += sizeof header;
  for (std::size_t i = 0; i < kTexts; ++i) {
    if (header.lengths[i] == 0) continue;  // an absent text's view has no address
    std::memcpy(out, texts[i].data(), header.lengths[i]);
    out += header.lengths[i];
  }
  ring.commit();
  return true;
}

Record read_record(std::span<const std::byte> entry) noexcept {
  Header header;
  std::memcpy(&header, entry.data(), sizeof header);
  Record record{.start_ns = header.start_ns,
                .intended_start_ns = header.intended_start_ns,
                .duration_ns = header.duration_ns,
                .object_size_bytes = header.object_size_bytes,
                .retry_count = header.retry_count,
                .success = header.success != 0,
                .has_intended_start = header.has_intended_start != 0};
  const std::array<std::string_view*, kTexts> texts{
      &record.operation_type, &record.object_key,    &record.error_code,
      &record.error_message,  &record.workload_type, &record.driver,
      &record.user_id,        &record.metadata,      &record.operation_id};
  const auto* text = reinterpret_cast<const char*>(entry.data()) + sizeof header;
  for (std::size_t i = 0; i < kTexts; ++i) {
    *texts[i] = {text, header.lengths[i]};
    text += header.lengths[i];
  }
  return record;
}

}  // namespace metricsd::client
