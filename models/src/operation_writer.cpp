#include "json/text_buffer.h"
#include "operation_fields.h"
#include "timestamp_writer.h"

#include <metricsd/models/decimal.h>
#include <metricsd/models/operation_json.h>

#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

namespace metricsd {
namespace {

// Appends one object, member by member.
class OperationWriter {
 public:
  explicit OperationWriter(std::string& out) : out_(out) {}

  template <Field kField>
  void text(std::string_view value) {
    if (value.empty()) return;
    name<kField>();
    out_.put_json_string(value);
  }
  template <Field kField>
  void time(const std::optional<Timestamp>& at) {
    if (!at) return;
    name<kField>();
    out_.put('"');
    out_.put_by([&](char* to) { return times_.write(to, *at); });
    out_.put('"');
  }
  template <Field kField>
  void whole(std::uint64_t value) {
    name<kField>();
    out_.put_number(value);
  }
  template <Field kField>
  void number(double value) {
    name<kField>();
    if (std::isfinite(value)) {
      out_.put_number(value);
    } else {
      out_.put("null");
    }
  }
  template <Field kField>
  void milliseconds(std::int64_t ns) {
    name<kField>();
    out_.put_by([ns](char* to) { return write_ns_as_milliseconds(to, ns); });
  }
  template <Field kField>
  void boolean(bool value) {
    name<kField>();
    out_.put(value ? std::string_view("true") : std::string_view("false"));
  }
  // JSON already.
  template <Field kField>
  void object(std::string_view json) {
    if (json.empty()) return;
    name<kField>();
    out_.put(json);
  }
  void end() {
    out_.put('}');
    out_.flush();
  }

 private:
  template <Field kField>
  void name() {
    auto key = kKey<kField, KeyStyle::next>;
    key.front() = std::exchange(separator_, ',');
    out_.put(key);
  }

  TextBuffer out_;
  TimestampWriter times_;
  char separator_ = '{';
};

}  // namespace

void append_operation_json(std::string& out, const OperationView& operation) {
  using enum Field;
  OperationWriter writer(out);
  writer.text<operation_id>(operation.operation_id);
  writer.time<timestamp_start>(operation.timestamp_start);
  writer.time<timestamp_end>(operation.timestamp_end);
  writer.text<operation_type>(operation.operation_type);
  writer.text<workload_type>(operation.workload_type);
  writer.text<object_key>(operation.object_key);
  writer.whole<object_size_bytes>(operation.object_size_bytes);
  writer.milliseconds<duration_ms>(operation.duration_ns);
  if (operation.throughput_mbps) writer.number<throughput_mbps>(*operation.throughput_mbps);
  writer.boolean<success>(operation.success);
  writer.text<error_code>(operation.error_code);
  writer.text<error_message>(operation.error_message);
  if (operation.retry_count != 0) writer.whole<retry_count>(operation.retry_count);
  writer.text<driver>(operation.driver);
  writer.text<user_id>(operation.user_id);
  writer.object<metadata>(operation.metadata);
  writer.time<intended_start>(operation.intended_start);
  writer.end();
}

}  // namespace metricsd
