#include <metricsd/client/collector.h>

#include <utility>

namespace metricsd::client {

using std::chrono::steady_clock;

OperationTimer Collector::time(std::string_view operation_type, std::string_view object_key,
                               std::uint64_t object_size_bytes) noexcept {
  return {*this, operation_type, object_key, object_size_bytes};
}

OperationTimer::OperationTimer(Collector& collector, std::string_view operation_type,
                               std::string_view object_key, std::uint64_t object_size_bytes) noexcept
    : collector_(&collector) {
  operation_.operation_type = operation_type;
  operation_.object_key = object_key;
  operation_.object_size_bytes = object_size_bytes;
  started_ = steady_clock::now();
}

OperationTimer::OperationTimer(OperationTimer&& other) noexcept
    : collector_(std::exchange(other.collector_, nullptr)),
      started_(other.started_),
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
  collector_ = nullptr;
}

void OperationTimer::finish(bool success) noexcept {
  Collector* collector = std::exchange(collector_, nullptr);
  if (collector == nullptr) return;
  operation_.duration = steady_clock::now() - started_;
  operation_.start = collector->wall_time(started_);
  operation_.success = success;
  collector->record(operation_);
}

}  // namespace metricsd::client
