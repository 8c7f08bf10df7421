// One timed operation of a workload: one line on the socket, one row of every export.
#pragma once

#include <metricsd/models/timestamp.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace metricsd {

// A plain value. Text that is empty is absent. Limits and rules stand at the fields' reader
// (operation_json.h).
template <class Text>
struct BasicOperation {
  Text operation_id{};
  std::optional<Timestamp> timestamp_start{};
  std::optional<Timestamp> timestamp_end{};
  std::optional<Timestamp> intended_start{};  // when the load generator meant to start it
  Text operation_type{};  // upload, download, delete, list, head, read, write or the user's own
  Text workload_type{};   // s3, rbd, ...
  Text object_key{};
  std::uint64_t object_size_bytes = 0;
  std::int64_t duration_ns = 0;
  std::optional<double> throughput_mbps{};  // MiB/s, as given; the name is historic
  bool success = true;
  Text error_code{};
  Text error_message{};
  std::uint64_t retry_count = 0;
  Text driver{};
  Text user_id{};
  Text metadata{};  // compact JSON text of an object; empty for {}

  // Back to the state of a new one; strings keep their memory, unless it is much.
  void clear();
  // An owner serves wherever a view does. The view is valid until this changes.
  operator BasicOperation<std::string_view>() const  // NOLINT(google-explicit-constructor)
      requires(!std::is_same_v<Text, std::string_view>) {
    return with_texts<std::string_view>();
  }

  // A copy whose texts are of another type.
  template <class Other>
  [[nodiscard]] BasicOperation<Other> with_texts() const {
    return {.operation_id = Other(operation_id),
            .timestamp_start = timestamp_start,
            .timestamp_end = timestamp_end,
            .intended_start = intended_start,
            .operation_type = Other(operation_type),
            .workload_type = Other(workload_type),
            .object_key = Other(object_key),
            .object_size_bytes = object_size_bytes,
            .duration_ns = duration_ns,
            .throughput_mbps = throughput_mbps,
            .success = success,
            .error_code = Other(error_code),
            .error_message = Other(error_message),
            .retry_count = retry_count,
            .driver = Other(driver),
            .user_id = Other(user_id),
            .metadata = Other(metadata)};
  }
};

// One that owns its texts, and one that is passed on: its texts live elsewhere, in the line that was read,
// say.
using OperationMetric = BasicOperation<std::string>;
using OperationView = BasicOperation<std::string_view>;

// `[A-Za-z0-9_.:-]{1,64}`, the rule of operation_type and workload_type.
[[nodiscard]] bool is_type_name(std::string_view text) noexcept;

// By definition object_size_bytes / 2^20 / seconds; nothing where either is 0.
[[nodiscard]] std::optional<double> throughput_of(std::uint64_t object_size_bytes, std::int64_t duration_ns);

// The failure's code, "unknown" where none was given. For labels and counts; the files keep what was given.
[[nodiscard]] std::string_view error_code_or_unknown(std::string_view error_code);

}  // namespace metricsd
