// An operation as bytes in a ring: a header of 64 bytes, then its texts one after the other, without
// separators.
//
// The caller's side only measures and copies, and copies a bounded amount: of each text at most its limit and
// a little more, so that the reader can tell what was too long and cut it between two characters.
#pragma once

#include "ring.h"

#include <metricsd/client/collector.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace metricsd::client {

// One operation as the writer of the run sees it. Views into the ring: valid until the entry is popped.
struct Record {
  std::int64_t start_ns = 0;
  std::int64_t intended_start_ns = 0;  // where has_intended_start
  std::int64_t duration_ns = 0;
  std::uint64_t object_size_bytes = 0;
  std::uint64_t retry_count = 0;
  bool success = true;
  bool has_intended_start = false;
  std::string_view operation_type{};
  std::string_view object_key{};
  std::string_view error_code{};
  std::string_view error_message{};
  std::string_view workload_type{};
  std::string_view driver{};
  std::string_view user_id{};
  std::string_view metadata{};
  std::string_view operation_id{};
};

// No entry is larger, so that any ring of 64 KiB takes it.
[[nodiscard]] std::size_t largest_record() noexcept;

// Producer's side: false where the ring is full. `start_ns` is since 1970, UTC.
[[nodiscard]] bool write_record(Ring& ring, const Operation& operation, std::int64_t start_ns) noexcept;

// Consumer's side, of an entry that write_record() made.
[[nodiscard]] Record read_record(std::span<const std::byte> entry) noexcept;

}  // namespace metricsd::client
