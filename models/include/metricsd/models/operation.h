// One timed operation of a workload: one line on the socket, one row of every export.
#pragma once

#include <metricsd/models/timestamp.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace metricsd {

// A plain value. Text that is empty is absent. Limits and rules stand at the fields' reader
// (operation_json.h).
struct OperationMetric {
  std::string operation_id;
  std::optional<Timestamp> timestamp_start;
  std::optional<Timestamp> timestamp_end;
  std::optional<Timestamp> intended_start;  // when the load generator meant to start it
  std::string operation_type;  // upload, download, delete, list, head, read, write or the user's own
  std::string workload_type;   // s3, rbd, ...
  std::string object_key;
  std::uint64_t object_size_bytes = 0;
  std::int64_t duration_ns = 0;
  std::optional<double> throughput_mbps;  // MiB/s, as given; the name is historic
  bool success = true;
  std::string error_code;
  std::string error_message;
  std::uint64_t retry_count = 0;
  std::string driver;
  std::string user_id;
  std::string metadata;  // compact JSON text of an object; empty for {}

  // Back to the state of a new one; strings keep their memory, unless it is much.
  void clear();
};

// `[A-Za-z0-9_.:-]{1,64}`, the rule of operation_type and workload_type.
[[nodiscard]] bool is_type_name(std::string_view text) noexcept;

// By definition object_size_bytes / 2^20 / seconds; nothing where either is 0.
[[nodiscard]] std::optional<double> throughput_of(std::uint64_t object_size_bytes, std::int64_t duration_ns);

// The failure's code, "unknown" where none was given. For labels and counts; the files keep what was given.
[[nodiscard]] std::string_view error_code_or_unknown(const OperationMetric& operation);

}  // namespace metricsd
