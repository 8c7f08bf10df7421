#include "summary_reader.h"

#include <metricsd/models/drop_counts.h>
#include <metricsd/models/json/document.h>
#include <metricsd/models/timestamp.h>

#include <cmath>
#include <utility>

#include <boost/json.hpp>

namespace metricsd::tools {

namespace {

namespace json = boost::json;

const json::object& object_at(const json::object& parent, std::string_view key) {
  static const json::object kNone;
  const json::value* value = parent.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : kNone;
}

std::optional<double> number_at(const json::object& parent, std::string_view key) {
  const json::value* value = parent.if_contains(key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->to_number<double>();
}

std::uint64_t as_count(const json::value& value) {
  json::error_code failed;
  const auto count = value.to_number<std::uint64_t>(failed);
  return failed ? 0 : count;
}

std::uint64_t count_at(const json::object& parent, std::string_view key) {
  const json::value* value = parent.if_contains(key);
  return value != nullptr ? as_count(*value) : 0;
}

std::string text_at(const json::object& parent, std::string_view key) {
  const json::value* value = parent.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::optional<Timestamp> time_at(const json::object& parent, std::string_view key) {
  const auto time = parse_timestamp(text_at(parent, key));
  return time ? std::optional(*time) : std::nullopt;
}

std::map<std::string, std::uint64_t> counts_of(const json::object& object) {
  std::map<std::string, std::uint64_t> counts;
  for (const auto& field : object) counts.emplace(field.key(), as_count(field.value()));
  return counts;
}

OperationCounts operations_of(const json::object& group) {
  const json::object& counts = object_at(group, "operations");
  return {count_at(counts, "total"), count_at(counts, "successful")};
}

// Nothing where the group has none of it: then its numbers are null.
std::optional<Statistics> statistics_at(const json::object& group, std::string_view key) {
  const json::object& object = object_at(group, key);
  if (!number_at(object, "max")) return std::nullopt;
  Statistics statistics;
  statistics.count = count_at(object, "count");
  statistics.min = number_at(object, "min").value_or(0);
  statistics.max = number_at(object, "max").value_or(0);
  statistics.mean = number_at(object, "mean").value_or(0);
  statistics.stddev = number_at(object, "stddev").value_or(0);
  for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
    statistics.percentiles[i] = number_at(object, kPercentiles[i].name).value_or(0);
  }
  return statistics;
}

std::optional<SizeStatistics> sizes_of(const json::object& group) {
  const json::object& object = object_at(group, "object_size_bytes");
  if (!number_at(object, "max")) return std::nullopt;
  return SizeStatistics{count_at(object, "min"), count_at(object, "max"),
                        number_at(object, "mean").value_or(0), count_at(object, "total")};
}

GroupSummary group_of(const json::object& object) {
  GroupSummary group;
  group.operations = operations_of(object);
  group.duration_ms = statistics_at(object, "duration_ms");
  group.throughput_mbps = statistics_at(object, "throughput_mbps");
  group.object_size_bytes = sizes_of(object);
  if (group.object_size_bytes) {
    // The document has the sizes of all operations; those that failed are taken out by their share.
    group.bytes_transferred = static_cast<std::uint64_t>(
        std::llround(group.object_size_bytes->mean * static_cast<double>(group.operations.successful)));
  }
  group.response_time_ms = statistics_at(object, "response_time_ms");
  group.requests_per_second = number_at(object_at(object, "request_rate"), "rps");
  return group;
}

}  // namespace

Result<RunSummary> read_summary_json(std::string_view text) {
  const auto document = parse_json(text);
  if (!document) return document.error();
  const json::object* object = document->if_object();
  if (object == nullptr) return Errc::not_an_object;

  RunSummary summary;
  summary.method = text_at(*object, "method") == "exponential_histogram"
                       ? SummaryMethod::exponential_histogram
                       : SummaryMethod::exact;
  summary.test_run_id = text_at(*object, "test_run_id");
  summary.test_name = text_at(*object, "test_name");
  summary.start_time = time_at(*object, "start_time");
  summary.end_time = time_at(*object, "end_time");
  summary.duration_seconds = number_at(*object, "duration_seconds").value_or(0);
  if (const json::value* dropped = object->if_contains("dropped")) {
    if (auto counts = read_drop_counts(*dropped)) summary.dropped = std::move(*counts);
  }
  summary.overall = group_of(object_at(*object, "overall"));
  for (const auto& operation : object_at(*object, "by_operation")) {
    if (const json::object* group = operation.value().if_object()) {
      summary.by_operation.emplace(operation.key(), group_of(*group));
    }
  }
  summary.errors_by_code = counts_of(object_at(object_at(*object, "errors"), "by_code"));
  return summary;
}

}  // namespace metricsd::tools
