#include <metricsd/models/drop_counts.h>
#include <metricsd/models/json/fields.h>
#include <metricsd/models/json/writer.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/operation.h>

#include <cstddef>

namespace metricsd {

void merge(DropCounts& into, const DropCounts& more) {
  for (const auto& [sink, causes] : more) {
    for (const auto& [cause, count] : causes) into[sink][cause] += count;
  }
}

void write_drop_counts(JsonWriter& writer, const DropCounts& counts) {
  writer.begin_object();
  for (const auto& [sink, causes] : counts) {
    writer.key(sink).begin_object();
    for (const auto& [cause, count] : causes) writer.field(cause, count);
    writer.end_object();
  }
  writer.end_object();
}

Result<DropCounts> read_drop_counts(const boost::json::value& value) {
  const auto sinks = any_object(value);
  if (!sinks) return sinks.error();
  DropCounts dropped;
  std::size_t pairs = 0;
  for (const auto& [sink, value_of_sink] : **sinks) {
    const auto causes = any_object(value_of_sink);
    if (!causes) return causes.error();
    pairs += (*causes)->size();
    if (pairs > limits::kDropCauses) return Errc::limit_reached;
    for (const auto& [cause, value_of_cause] : **causes) {
      if (!is_type_name(sink) || !is_type_name(cause)) return Errc::invalid_characters;
      const auto total = read_whole(value_of_cause, limits::kWhole);
      if (!total) return total.error();
      dropped[std::string(sink)][std::string(cause)] = *total;
    }
  }
  return dropped;
}

}  // namespace metricsd
