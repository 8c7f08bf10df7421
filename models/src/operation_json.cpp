#include "careful_operation_reader.h"
#include "operation_fields.h"
#include "usual_operation_reader.h"

#include <metricsd/models/json/writer.h>
#include <metricsd/models/operation_json.h>

namespace metricsd {

struct OperationReader::State {
  UsualOperationReader usual;
  CarefulOperationReader careful;
  std::uint64_t unknown_fields = 0;
};

OperationReader::OperationReader() : state_(std::make_unique<State>()) {}
OperationReader::~OperationReader() = default;
OperationReader::OperationReader(OperationReader&&) noexcept = default;
OperationReader& OperationReader::operator=(OperationReader&&) noexcept = default;

OperationReader::Outcome OperationReader::read(std::string_view json, OperationView& out) {
  if (!state_->usual.read(json, out)) return read_any(json, out);
  state_->unknown_fields = 0;
  return Outcome::operation;
}

std::size_t OperationReader::read_usual_line(std::string_view lines, OperationView& out) {
  const std::size_t size = state_->usual.read_line(lines, out);
  if (size != 0) state_->unknown_fields = 0;
  return size;
}

OperationReader::Outcome OperationReader::read_any(std::string_view json, OperationView& out) {
  const Outcome outcome = state_->careful.read(json, out);
  state_->unknown_fields = state_->careful.unknown_fields();
  return outcome;
}

Errc OperationReader::refusal() const noexcept {
  return state_->careful.refusal();
}
std::string_view OperationReader::refused_field() const noexcept {
  return state_->careful.refused_field();
}
std::uint64_t OperationReader::unknown_fields() const noexcept {
  return state_->unknown_fields;
}

namespace {

void write_text(JsonWriter& writer, Field field, std::string_view text) {
  if (!text.empty()) writer.field(name_of(field), text);
}

void write_time(JsonWriter& writer, Field field, const std::optional<Timestamp>& at) {
  if (at) writer.field(name_of(field), std::string_view(format_timestamp(*at)));
}

}  // namespace

void append_operation_json(std::string& out, const OperationView& operation) {
  JsonWriter writer(out);
  writer.begin_object();
  write_text(writer, Field::operation_id, operation.operation_id);
  write_time(writer, Field::timestamp_start, operation.timestamp_start);
  write_time(writer, Field::timestamp_end, operation.timestamp_end);
  write_text(writer, Field::operation_type, operation.operation_type);
  write_text(writer, Field::workload_type, operation.workload_type);
  write_text(writer, Field::object_key, operation.object_key);
  writer.field(name_of(Field::object_size_bytes), operation.object_size_bytes);
  std::string duration;
  append_ns_as_milliseconds(duration, operation.duration_ns);
  writer.key(name_of(Field::duration_ms)).raw(duration);
  if (operation.throughput_mbps) writer.field(name_of(Field::throughput_mbps), *operation.throughput_mbps);
  writer.field(name_of(Field::success), operation.success);
  write_text(writer, Field::error_code, operation.error_code);
  write_text(writer, Field::error_message, operation.error_message);
  if (operation.retry_count != 0) writer.field(name_of(Field::retry_count), operation.retry_count);
  write_text(writer, Field::driver, operation.driver);
  write_text(writer, Field::user_id, operation.user_id);
  if (!operation.metadata.empty()) writer.key(name_of(Field::metadata)).raw(operation.metadata);
  write_time(writer, Field::intended_start, operation.intended_start);
  writer.end_object();
}

}  // namespace metricsd
