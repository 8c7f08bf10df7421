#include <metricsd/models/decimal.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/operation.h>
#include <metricsd/models/recycle.h>

#include <algorithm>

namespace metricsd {

template <>
void OperationMetric::clear() {
  operation_id.clear();
  timestamp_start.reset();
  timestamp_end.reset();
  intended_start.reset();
  operation_type.clear();
  workload_type.clear();
  object_key.clear();
  object_size_bytes = 0;
  duration_ns = 0;
  throughput_mbps.reset();
  success = true;
  error_code.clear();
  error_message.clear();
  retry_count = 0;
  driver.clear();
  user_id.clear();
  recycle(metadata);
}

bool is_type_name(std::string_view text) noexcept {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == ':' || c == '-';
  };
  return !text.empty() && text.size() <= limits::kTypeName && std::all_of(text.begin(), text.end(), allowed);
}

std::optional<double> throughput_of(std::uint64_t object_size_bytes, std::int64_t duration_ns) {
  if (object_size_bytes == 0 || duration_ns <= 0) return std::nullopt;
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  // Where doubles hold both sides exactly, their division rounds once, as ratio() does.
  if (object_size_bytes <= std::uint64_t{1} << 34 && duration_ns <= std::int64_t{1} << 53) {
    const std::uint64_t scaled = object_size_bytes * static_cast<std::uint64_t>(kNsPerSecond);
    const auto numerator = static_cast<double>(scaled);
    if (static_cast<std::uint64_t>(numerator) == scaled)
      return numerator / (static_cast<double>(duration_ns) * static_cast<double>(kMiB));
  }
  return ratio(Uint128{object_size_bytes} * static_cast<std::uint64_t>(kNsPerSecond),
               Uint128{static_cast<std::uint64_t>(duration_ns)} * kMiB);
}

std::string_view error_code_or_unknown(std::string_view error_code) {
  return error_code.empty() ? std::string_view("unknown") : error_code;
}

}  // namespace metricsd
