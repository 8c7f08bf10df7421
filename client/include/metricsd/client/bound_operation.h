// Operations of one kind, named once: the cheapest way to record.
//
//   metricsd::client::BoundOperation upload = run.bind("upload", {.workload_type = "s3"});  // once
//   upload.record({.duration = d, .object_size_bytes = n, .start = t});                   // each time
//   auto timer = upload.time();
//   ...the operation...
//   timer.success();
//
// What has no texts is 64 bytes in the thread's ring. Included by collector.h.
//
// The interface of the shared library: what is inline here only takes BoundRecord apart and passes its
// figures in registers, so that absent texts cost nothing. How records are stored stays in the library.
// BoundRecord crosses by address where it has texts: a field is only ever added together with a new soname.
#pragma once

#include <metricsd/client/export.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace metricsd::client {

struct Gate;

// What a handle names beside the operation type. Empty: the run's.
struct BoundLabels {
  std::string_view workload_type{};  // `[A-Za-z0-9_.:-]{1,64}`
  std::string_view driver{};         // at most 128 bytes
};

// One operation of a bound kind; fields, limits and rules are Operation's.
struct BoundRecord {
  std::chrono::nanoseconds duration{0};
  bool success = true;
  std::uint64_t object_size_bytes = 0;
  // Nothing: it ended now, and began `duration` ago.
  std::optional<std::chrono::system_clock::time_point> start{};
  std::uint64_t retry_count = 0;
  std::string_view error_code{};
  std::string_view error_message{};
  std::string_view object_key{};
  std::string_view user_id{};
  std::optional<std::chrono::system_clock::time_point> intended_start{};
  std::string_view metadata{};
  std::string_view operation_id{};
};

class BoundTimer;

// A handle, from Collector::bind(): cheap to copy, for any thread, valid as long as its collector. One that
// was made by nobody records nothing.
class METRICSD_CLIENT_API BoundOperation {
 public:
  BoundOperation() noexcept;

  // The promises of Collector::record().
  void record(const BoundRecord& record) const noexcept {
    if (!is_plain(record)) return record_texts(record);
    const auto start =
        record.start ? record.start->time_since_epoch() : std::chrono::system_clock::duration{};
    record_figures(gate_, handle_ | (record.success ? kSuccess : 0) | (record.start ? 0 : kNoStart),
                   std::chrono::duration_cast<std::chrono::nanoseconds>(start).count(),
                   record.duration.count(), record.object_size_bytes, record.retry_count);
  }

  [[nodiscard]] BoundTimer time() const noexcept;

 private:
  friend class BoundTimer;
  friend class Collector;

  // Beside the handle, in one register.
  static constexpr int kFlagShift = 32;
  static constexpr std::uint64_t kSuccess = std::uint64_t{1} << kFlagShift;
  static constexpr std::uint64_t kTicks = std::uint64_t{4} << kFlagShift;
  static constexpr std::uint64_t kNoStart = std::uint64_t{8} << kFlagShift;

  METRICSD_CLIENT_LOCAL BoundOperation(const Gate& gate, std::uint32_t handle) noexcept
      : gate_(&gate), handle_(handle) {}

  [[nodiscard]] static bool is_plain(const BoundRecord& record) noexcept {
    return record.error_code.empty() && record.error_message.empty() && record.object_key.empty() &&
           record.user_id.empty() && record.metadata.empty() && record.operation_id.empty() &&
           !record.intended_start;
  }
  static void record_figures(const Gate* gate, std::uint64_t handle_and_flags, std::int64_t start,
                             std::int64_t duration, std::uint64_t object_size_bytes,
                             std::uint64_t retry_count) noexcept;
  [[gnu::noinline]] METRICSD_CLIENT_LOCAL static void record_figures_slowly(
      const Gate* gate, std::uint64_t handle_and_flags, std::int64_t start, std::int64_t duration,
      std::uint64_t object_size_bytes, std::uint64_t retry_count) noexcept;
  void record_texts(const BoundRecord& record) const noexcept;
  // What a timer measured, in ticks of the raw counter.
  METRICSD_CLIENT_LOCAL void record_timed(const BoundRecord& record, std::int64_t start_ticks) const noexcept;

  const Gate* gate_;
  std::uint64_t handle_ = 0;
};

// Times one operation on the processor's own counter (steady_clock where it has none that is fit), from
// BoundOperation::time() to success() or failure(). Destroyed without either it records a failure with code
// "abandoned". Lives on one thread, and no longer than its collector. Holds views: what was passed to the
// setters must live until the operation is recorded.
class METRICSD_CLIENT_API BoundTimer {
 public:
  BoundTimer(BoundTimer&& other) noexcept;
  BoundTimer& operator=(BoundTimer&&) = delete;
  ~BoundTimer();

  BoundTimer& size(std::uint64_t object_size_bytes) noexcept;
  BoundTimer& retries(std::uint64_t count) noexcept;
  BoundTimer& key(std::string_view object_key) noexcept;
  BoundTimer& user(std::string_view user_id) noexcept;
  BoundTimer& metadata(std::string_view json) noexcept;
  BoundTimer& intended_start(std::chrono::system_clock::time_point at) noexcept;

  void success() noexcept;
  void failure(std::string_view error_code, std::string_view error_message = {}) noexcept;
  // Forgets the operation.
  void cancel() noexcept;

 private:
  friend class BoundOperation;
  METRICSD_CLIENT_LOCAL explicit BoundTimer(BoundOperation operation) noexcept;
  METRICSD_CLIENT_LOCAL void finish(bool success) noexcept;

  BoundOperation operation_;
  std::int64_t start_ticks_;
  bool running_ = true;
  BoundRecord record_;
};

}  // namespace metricsd::client
