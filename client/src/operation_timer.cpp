#include "record.h"

#include <metricsd/client/collector.h>
#include <metricsd/ipc/raw_counter.h>

#include <utility>

namespace metricsd::client {

OperationTimer Collector::time(std::string_view operation_type, std::string_view object_key,
                               std::uint64_t object_size_bytes) noexcept {
  return {*gate_, operation_type, object_key, object_size_bytes};
}

OperationTimer::OperationTimer(const Gate& gate, std::string_view operation_type, std::string_view object_key,
                               std::uint64_t object_size_bytes) noexcept
    : gate_(&gate) {
  operation_.operation_type = operation_type;
  operation_.object_key = object_key;
  operation_.object_size_bytes = object_size_bytes;
  start_ticks_ = ipc::raw_counter::now();
}

OperationTimer::OperationTimer(OperationTimer&& other) noexcept
    : gate_(std::exchange(other.gate_, nullptr)),
      start_ticks_(other.start_ticks_),
      operation_(other.operation_) {}

OperationTimer::~OperationTimer() {
  failure("abandoned");
}

OperationTimer& OperationTimer::size(std::uint64_t object_size_bytes) noexcept {
  operation_.object_size_bytes = object_size_bytes;
  return *this;
}

OperationTimer& OperationTimer::retries(std::uint64_t count) noexcept {
  operation_.retry_count = count;
  return *this;
}

OperationTimer& OperationTimer::user(std::string_view user_id) noexcept {
  operation_.user_id = user_id;
  return *this;
}

OperationTimer& OperationTimer::metadata(std::string_view json) noexcept {
  operation_.metadata = json;
  return *this;
}

OperationTimer& OperationTimer::intended_start(std::chrono::system_clock::time_point at) noexcept {
  operation_.intended_start = at;
  return *this;
}

void OperationTimer::success() noexcept {
  finish(true);
}

void OperationTimer::failure(std::string_view error_code, std::string_view error_message) noexcept {
  operation_.error_code = error_code;
  operation_.error_message = error_message;
  finish(false);
}

void OperationTimer::cancel() noexcept {
  gate_ = nullptr;
}

void OperationTimer::finish(bool success) noexcept {
  const Gate* gate = std::exchange(gate_, nullptr);
  if (gate == nullptr) return;
  operation_.success = success;
  record_operation(*gate, operation_, Timing::since(start_ticks_));
}

}  // namespace metricsd::client
