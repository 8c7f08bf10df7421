#include "gate.h"
#include "record.h"

#include <metricsd/client/bound_operation.h>
#include <metricsd/ipc/raw_counter.h>

#include <utility>

namespace metricsd::client {

BoundOperation::BoundOperation() noexcept : gate_(&Gate::nowhere()) {}

void BoundOperation::record_texts(const BoundRecord& record) const noexcept {
  record_bound(*gate_, static_cast<std::uint32_t>(handle_), record);
}

void BoundOperation::record_timed(const BoundRecord& record, std::int64_t start_ticks) const noexcept {
  const Timing timing = Timing::since(start_ticks);
  if (!is_plain(record)) return record_bound(*gate_, static_cast<std::uint32_t>(handle_), record, timing);
  record_figures(gate_, handle_ | kTicks | (record.success ? kSuccess : 0), timing.start, timing.duration,
                 record.object_size_bytes, record.retry_count);
}

BoundTimer BoundOperation::time() const noexcept {
  return BoundTimer(*this);
}

BoundTimer::BoundTimer(BoundOperation operation) noexcept
    : operation_(operation), start_ticks_(ipc::raw_counter::now()) {}

BoundTimer::BoundTimer(BoundTimer&& other) noexcept
    : operation_(other.operation_),
      start_ticks_(other.start_ticks_),
      running_(std::exchange(other.running_, false)),
      record_(other.record_) {}

BoundTimer::~BoundTimer() {
  failure("abandoned");
}

BoundTimer& BoundTimer::size(std::uint64_t object_size_bytes) noexcept {
  record_.object_size_bytes = object_size_bytes;
  return *this;
}

BoundTimer& BoundTimer::retries(std::uint64_t count) noexcept {
  record_.retry_count = count;
  return *this;
}

BoundTimer& BoundTimer::key(std::string_view object_key) noexcept {
  record_.object_key = object_key;
  return *this;
}

BoundTimer& BoundTimer::user(std::string_view user_id) noexcept {
  record_.user_id = user_id;
  return *this;
}

BoundTimer& BoundTimer::metadata(std::string_view json) noexcept {
  record_.metadata = json;
  return *this;
}

BoundTimer& BoundTimer::intended_start(std::chrono::system_clock::time_point at) noexcept {
  record_.intended_start = at;
  return *this;
}

void BoundTimer::success() noexcept {
  finish(true);
}

void BoundTimer::failure(std::string_view error_code, std::string_view error_message) noexcept {
  record_.error_code = error_code;
  record_.error_message = error_message;
  finish(false);
}

void BoundTimer::cancel() noexcept {
  running_ = false;
}

void BoundTimer::finish(bool success) noexcept {
  if (!std::exchange(running_, false)) return;
  record_.success = success;
  operation_.record_timed(record_, start_ticks_);
}

}  // namespace metricsd::client
