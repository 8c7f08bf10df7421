#include "operation_handler.h"

#include <metricsd/models/json/document.h>
#include <metricsd/models/operation_json.h>

#include <boost/json/basic_parser_impl.hpp>

namespace metricsd {
namespace {

namespace json = boost::json;

json::parse_options parser_options() {
  json::parse_options options;
  options.max_depth = limits::kJsonDepth;
  return options;
}

}  // namespace

struct OperationReader::State {
  json::basic_parser<OperationHandler> parser{parser_options()};
  OperationMetric operation;
  Errc refusal = Errc::malformed_json;
  std::string_view refused_field;
};

OperationReader::OperationReader() : state_(std::make_unique<State>()) {}
OperationReader::~OperationReader() = default;
OperationReader::OperationReader(OperationReader&&) noexcept = default;
OperationReader& OperationReader::operator=(OperationReader&&) noexcept = default;

OperationReader::Outcome OperationReader::read(std::string_view text, OperationView& out) {
  auto& parser = state_->parser;
  OperationHandler& handler = parser.handler();
  parser.reset();
  handler.reset(state_->operation);
  boost::system::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (handler.typed()) return Outcome::typed;
  if (!error && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos)
    error = Errc::malformed_json;
  if (!error) handler.check_whole();
  if (!error && !handler.fault()) {
    out = state_->operation;
    return Outcome::operation;
  }
  state_->refusal = error ? json_errc(error) : *handler.fault();
  state_->refused_field = error ? std::string_view() : handler.fault_field();
  return Outcome::refused;
}

Errc OperationReader::refusal() const noexcept {
  return state_->refusal;
}
std::string_view OperationReader::refused_field() const noexcept {
  return state_->refused_field;
}
std::uint64_t OperationReader::unknown_fields() const noexcept {
  return state_->parser.handler().unknown_fields();
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
