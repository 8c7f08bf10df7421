// The fields of an OperationMetric by name, for its reader and its writer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace metricsd {

enum class Field : std::uint8_t {
  operation_id,
  timestamp_start,
  timestamp_end,
  operation_type,
  workload_type,
  object_key,
  object_size_bytes,
  duration_ms,
  throughput_mbps,
  success,
  error_code,
  error_message,
  retry_count,
  driver,
  user_id,
  metadata,
  intended_start,
  unknown,
};

inline constexpr std::size_t kFields = static_cast<std::size_t>(Field::unknown);

inline constexpr std::array<std::string_view, kFields> kFieldNames{
    "operation_id", "timestamp_start",   "timestamp_end", "operation_type",  "workload_type",
    "object_key",   "object_size_bytes", "duration_ms",   "throughput_mbps", "success",
    "error_code",   "error_message",     "retry_count",   "driver",          "user_id",
    "metadata",     "intended_start"};

constexpr std::string_view name_of(Field field) {
  return field == Field::unknown ? std::string_view() : kFieldNames[static_cast<std::size_t>(field)];
}

inline Field field_named(std::string_view name) {
  for (std::size_t i = 0; i < kFields; ++i) {
    if (kFieldNames[i] == name) return static_cast<Field>(i);
  }
  return Field::unknown;
}

}  // namespace metricsd
