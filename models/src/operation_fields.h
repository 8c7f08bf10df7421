// The fields of an OperationMetric: names and limits, for its readers and its writer.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/timestamp.h>

#include <algorithm>
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

// What stands around a field's name where it is a key in JSON.
enum class KeyStyle : std::uint8_t {
  compact,  // `"name":`
  spaced,   // `"name": `
  next,     // `,"name":`
};

template <Field kField, KeyStyle kStyle = KeyStyle::compact>
inline constexpr auto kKey = [] {
  constexpr std::string_view kName = name_of(kField);
  std::array<char, kName.size() + (kStyle == KeyStyle::compact ? 3 : 4)> key{};
  auto at = key.begin();
  if (kStyle == KeyStyle::next) *at++ = ',';
  *at++ = '"';
  at = std::copy(kName.begin(), kName.end(), at);
  *at++ = '"';
  *at++ = ':';
  if (kStyle == KeyStyle::spaced) *at++ = ' ';
  return key;
}();

// Looks at the field behind `before` first: keys tend to come in the order of the contract.
inline Field field_named(std::string_view name, Field before) {
  std::size_t i = static_cast<std::size_t>(before) + 1;
  for (std::size_t left = kFields; left > 0; --left, ++i) {
    if (i >= kFields) i = 0;
    if (kFieldNames[i] == name) return static_cast<Field>(i);
  }
  return Field::unknown;
}

// How many bytes a text may have. Type names have rules of their own: is_type_name().
struct TextLimits {
  std::size_t min;
  std::size_t max;
};

constexpr TextLimits text_limits(Field field) {
  switch (field) {
    case Field::operation_id: return {1, limits::kOperationId};
    case Field::object_key: return {0, limits::kObjectKey};
    case Field::error_code: return {0, limits::kErrorCode};
    case Field::error_message: return {0, limits::kErrorMessage};
    case Field::driver: return {0, limits::kDriver};
    case Field::user_id: return {0, limits::kUserId};
    default: return {0, 0};
  }
}

// The duration of an operation that gives only its timestamps. Errors: end_before_start, out_of_range.
inline Result<std::int64_t> duration_between(Timestamp start, Timestamp end) {
  const std::int64_t duration_ns = end.ns - start.ns;
  if (duration_ns < 0) return Errc::end_before_start;
  if (duration_ns > limits::kDurationNs) return Errc::out_of_range;
  return duration_ns;
}

}  // namespace metricsd
