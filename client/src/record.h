// The caller's side of an operation: into the calling thread's ring as one record (ipc/segment_record.h).
//
// It only measures and copies, and copies a bounded amount: of each text at most its limit and a little more,
// so that the reader can tell what was too long and cut it between two characters.
#pragma once

#include "gate.h"

#include <metricsd/client/collector.h>

#include <cstddef>
#include <cstdint>

namespace metricsd::client {

// Start and duration as the flags of a record say.
struct Timing {
  std::int64_t start = 0;
  std::int64_t duration = 0;
  std::uint16_t flags = 0;

  // What was measured on the raw counter, from then to now.
  [[nodiscard]] static Timing since(std::int64_t start_ticks) noexcept;
};

// No record is larger, so that any ring of 64 KiB takes it.
[[nodiscard]] std::size_t largest_record() noexcept;

// Any thread. What finds no place is counted.
void record_operation(const Gate& gate, const Operation& operation) noexcept;
void record_operation(const Gate& gate, const Operation& operation, const Timing& timing) noexcept;
void record_bound(const Gate& gate, std::uint32_t handle, const BoundRecord& record) noexcept;
void record_bound(const Gate& gate, std::uint32_t handle, const BoundRecord& record,
                  const Timing& timing) noexcept;

}  // namespace metricsd::client
