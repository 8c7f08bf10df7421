#include "operation_builder.h"

#include "text.h"

#include <metricsd/models/decimal.h>
#include <metricsd/models/limits.h>

#include <algorithm>

namespace metricsd::client {
namespace {

// The last moment that a timestamp's text can say: the end of 2261.
constexpr std::int64_t kLastMomentNs = 9'214'646'400 * kNsPerSecond - 1;

void append_count(std::vector<std::string>& lines, std::uint64_t count, std::string_view what) {
  if (count != 0) lines.push_back(std::to_string(count) + " " + std::string(what));
}

}  // namespace

bool OperationBuilder::build(const Record& record, std::uint32_t stream, std::uint64_t sequence,
                             OperationMetric& out) {
  const std::string_view workload =
      record.workload_type.empty() ? std::string_view(defaults_.workload_type) : record.workload_type;
  if (!is_type_name(record.operation_type) || !(workload.empty() || is_type_name(workload))) return false;
  out.clear();
  out.operation_type = record.operation_type;
  out.workload_type = workload;
  out.success = record.success;
  set_figures(record, out);
  if (out.success) out.throughput_mbps = throughput_of(out.object_size_bytes, out.duration_ns);
  set_texts(record, out);
  if (!record.metadata.empty()) set_metadata(record.metadata, out);
  if (out.operation_id.empty()) {
    out.operation_id.append(defaults_.id_prefix).append("-");
    append_integer(out.operation_id, stream);
    out.operation_id.append("-");
    append_integer(out.operation_id, sequence);
  }
  return true;
}

void OperationBuilder::set_figures(const Record& record, OperationMetric& out) {
  out.retry_count = std::min(record.retry_count, limits::kWhole);
  out.object_size_bytes = std::min(record.object_size_bytes, limits::kWhole);
  bool kept = out.retry_count == record.retry_count && out.object_size_bytes == record.object_size_bytes;
  kept &= set_times(record, out);
  if (!kept) ++adjusted_figures_;
}

bool OperationBuilder::set_times(const Record& record, OperationMetric& out) {
  out.duration_ns = std::clamp<std::int64_t>(record.duration_ns, 0, limits::kDurationNs);
  const std::int64_t start = std::clamp<std::int64_t>(record.start_ns, 0, kLastMomentNs - out.duration_ns);
  out.timestamp_start = Timestamp{start};
  out.timestamp_end = Timestamp{start + out.duration_ns};
  bool kept = out.duration_ns == record.duration_ns && start == record.start_ns;
  if (record.has_intended_start) {
    out.intended_start = Timestamp{std::clamp<std::int64_t>(record.intended_start_ns, 0, kLastMomentNs)};
    kept &= out.intended_start->ns == record.intended_start_ns;
  }
  return kept;
}

void OperationBuilder::set_texts(const Record& record, OperationMetric& out) {
  bool clean = assign_clean(out.object_key, record.object_key, limits::kObjectKey);
  clean &= assign_clean(out.error_code, record.error_code, limits::kErrorCode);
  clean &= assign_clean(out.error_message, record.error_message, limits::kErrorMessage);
  clean &=
      assign_clean(out.driver, record.driver.empty() ? defaults_.driver : record.driver, limits::kDriver);
  clean &= assign_clean(out.user_id, record.user_id, limits::kUserId);
  clean &= assign_clean(out.operation_id, record.operation_id, limits::kOperationId);
  if (!clean) ++adjusted_texts_;
}

void OperationBuilder::set_metadata(std::string_view json, OperationMetric& out) {
  auto object = json.size() <= limits::kRecordedMetadata ? compact_object(json) : std::nullopt;
  if (object) {
    out.metadata = std::move(*object);
  } else {
    ++refused_metadata_;
  }
}

std::vector<std::string> OperationBuilder::warnings() const {
  std::vector<std::string> lines;
  append_count(lines, adjusted_texts_, "operations had text that was too long or not UTF-8: cut or repaired");
  append_count(lines, adjusted_figures_,
               "operations had a time, size or count out of range: set to the nearest in range");
  append_count(lines, refused_metadata_,
               "operations had metadata that is no JSON object of at most 16 KiB: left out");
  return lines;
}

}  // namespace metricsd::client
