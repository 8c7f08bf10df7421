#include "sample_json.h"

#include <metricsd/models/decimal.h>

#include <array>
#include <optional>

namespace metricsd::tools {

namespace {

// A figure of a sample as JSON has it; `is_collected` says whether it is there at all.
template <class Field>
void for_each_field(const ProcessSample& sample, const Collect& collect, Field field) {
  field("cpu_usage_percent", sample.cpu_usage_percent, collect.cpu);
  field("cpu_user_seconds", std::optional(sample.cpu_user_seconds), collect.cpu);
  field("cpu_system_seconds", std::optional(sample.cpu_system_seconds), collect.cpu);
  field("memory_usage_bytes", sample.memory_usage_bytes, collect.memory);
  field("virtual_memory_bytes", std::optional(sample.virtual_memory_bytes), collect.memory);
  field("memory_usage_percent", sample.memory_usage_percent, collect.memory);
  field("disk_read_bytes", sample.disk_read_bytes, collect.disk_io);
  field("disk_write_bytes", sample.disk_write_bytes, collect.disk_io);
  field("network_rx_bytes", sample.network_rx_bytes, collect.network_io);
  field("network_tx_bytes", sample.network_tx_bytes, collect.network_io);
  field("thread_count", std::optional(sample.thread_count), collect.threads);
  field("file_descriptor_count", sample.file_descriptor_count, collect.file_descriptors);
  field("uptime_seconds", std::optional(sample.uptime_seconds), true);
}

void append_number(std::string& out, double value) {
  append_double(out, value);
}
void append_number(std::string& out, std::uint64_t value) {
  append_integer(out, value);
}

}  // namespace

void append_sample_fields(JsonWriter& json, const ProcessSample& sample, const Collect& collect) {
  std::string timestamp;
  append_timestamp(timestamp, sample.timestamp);
  json.field("timestamp", timestamp);
  for_each_field(sample, collect, [&](std::string_view name, const auto& figure, bool is_collected) {
    if (!is_collected) return;
    json.key(name);
    if (figure) {
      json.value(*figure);
    } else {
      json.null();
    }
  });
}

void append_sample_json(JsonWriter& json, const ProcessSample& sample, const Collect& collect) {
  json.begin_object();
  append_sample_fields(json, sample, collect);
  json.end_object();
}

void append_sample_csv_header(std::string& out) {
  out += "timestamp";
  for_each_field({}, {}, [&](std::string_view name, const auto&, bool) { out.append(",").append(name); });
}

void append_sample_csv(std::string& out, const ProcessSample& sample, const Collect& collect) {
  append_timestamp(out, sample.timestamp);
  for_each_field(sample, collect, [&](std::string_view, const auto& figure, bool is_collected) {
    out += ',';
    if (is_collected && figure) append_number(out, *figure);
  });
}

}  // namespace metricsd::tools
