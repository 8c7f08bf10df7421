#include <metricsd/models/json/document.h>
#include <metricsd/models/json/fields.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/run_json.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace metricsd {
namespace {

namespace json = boost::json;

Result<double> read_amount(const json::value& value) {
  const auto number = read_number(value);
  if (number && *number < 0) return Errc::out_of_range;
  return number;
}

// An object, kept as compact text; an empty one as no text.
Result<std::string> read_object(const json::value& value) {
  const auto object = any_object(value);
  if (!object) return object.error();
  std::string text;
  if (!(*object)->empty()) append_json(text, value);
  return text;
}

void write_time(JsonWriter& writer, std::string_view name, const std::optional<Timestamp>& at) {
  writer.key(name);
  if (at) {
    writer.value(std::string_view(format_timestamp(*at)));
  } else {
    writer.null();
  }
}

void write_object(JsonWriter& writer, std::string_view name, const std::string& json) {
  writer.key(name).raw(json.empty() ? std::string_view("{}") : std::string_view(json));
}

}  // namespace

Result<Run> run_from_json(const json::object& object) {
  FieldReader fields(object);
  const auto text = [&fields](std::string_view name, std::size_t max_bytes) {
    return fields.optional(name, text_up_to(max_bytes)).value_or(std::string());
  };
  const auto object_text = [&fields](std::string_view name) {
    return fields.optional(name, read_object).value_or(std::string());
  };
  Run run;
  run.test_run_id = text("test_run_id", limits::kRunId);
  run.test_name = text("test_name", limits::kTestName);
  run.start_time = fields.optional("start_time", read_timestamp);
  run.end_time = fields.optional("end_time", read_timestamp);
  run.scenario = text("scenario", limits::kDriver);
  run.workload_type = text("workload_type", limits::kTypeName);
  run.driver = text("driver", limits::kDriver);
  run.num_users = fields.optional("num_users", whole_up_to(limits::kWhole)).value_or(0);
  run.spawn_rate = fields.optional("spawn_rate", read_amount).value_or(0);
  run.test_config = object_text("test_config");
  run.environment = object_text("environment");
  run.client_info = object_text("client_info");
  run.tags = object_text("tags");
  if (!run.test_run_id.empty() && !is_run_id(run.test_run_id)) {
    fields.refuse(Errc::invalid_characters, "test_run_id");
  }
  if (fields.fault()) return fields.fault()->reason;
  return run;
}

Result<Run> parse_run(std::string_view text) {
  const Result<json::value> value = parse_json(text);
  if (!value) return value.error();
  if (!value->is_object()) return Errc::not_an_object;
  return run_from_json(value->get_object());
}

void write_run_fields(JsonWriter& writer, const Run& run) {
  writer.field("test_run_id", run.test_run_id);
  writer.field("test_name", run.test_name);
  write_time(writer, "start_time", run.start_time);
  write_time(writer, "end_time", run.end_time);
  writer.key("duration_seconds");
  if (const auto seconds = run.duration_seconds()) {
    writer.value(*seconds);
  } else {
    writer.null();
  }
  writer.field("scenario", run.scenario);
  writer.field("workload_type", run.workload_type);
  writer.field("driver", run.driver);
  writer.field("num_users", run.num_users);
  writer.field("spawn_rate", run.spawn_rate);
  write_object(writer, "test_config", run.test_config);
  write_object(writer, "environment", run.environment);
  write_object(writer, "client_info", run.client_info);
  write_object(writer, "tags", run.tags);
}

}  // namespace metricsd
