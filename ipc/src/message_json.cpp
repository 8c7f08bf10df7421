#include "message_json.h"

#include <metricsd/models/drop_counts.h>
#include <metricsd/models/json/document.h>
#include <metricsd/models/json/fields.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/operation.h>
#include <metricsd/models/run_json.h>
#include <metricsd/models/utf8.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

namespace metricsd::ipc {

namespace json = boost::json;

// `[A-Za-z0-9_.:-]{1,64}`, or "" for none.
Result<std::string> read_type_name(const json::value& value) {
  auto text = read_text(value, limits::kTypeName);
  if (text && !text->empty() && !is_type_name(*text)) return Errc::invalid_characters;
  return text;
}

Result<std::uint32_t> read_stream(const json::value& value) {
  const auto stream = read_whole(value, limits::kStreams - 1);
  if (!stream) return stream.error();
  return static_cast<std::uint32_t>(*stream);
}

Result<std::uint64_t> read_sequence_number(const json::value& value) {
  const auto number = read_whole(value, limits::kWhole);
  if (number && *number == 0) return Errc::out_of_range;
  return number;
}

namespace {

Result<std::string> read_run_id(const json::value& value) {
  auto text = read_text(value, limits::kRunId);
  if (text && !is_run_id(*text)) return Errc::invalid_characters;
  return text;
}

Result<Kind> read_kind(const json::value& value) {
  const auto text = any_text(value);
  if (!text) return text.error();
  for (const Kind kind : {Kind::counter, Kind::gauge, Kind::histogram}) {
    if (*text == to_string(kind)) return kind;
  }
  return Errc::invalid_definition;
}

Result<Merge> read_merge(const json::value& value) {
  const auto text = any_text(value);
  if (!text) return text.error();
  for (const Merge merge : {Merge::sum, Merge::min, Merge::max, Merge::last}) {
    if (*text == to_string(merge)) return merge;
  }
  return Errc::invalid_definition;
}

constexpr std::size_t kIdDigits = 32;  // 128 bits in hex

Result<std::vector<std::string>> read_names(const json::value& value) {
  return read_list(value, any_text);
}

Result<std::vector<double>> read_numbers(const json::value& value) {
  return read_list(value, read_number);
}

Message read_users(FieldReader& fields) {
  UsersMessage message;
  message.count = fields.required("count", whole_up_to(limits::kWhole));
  message.workload_type = fields.optional("workload_type", read_type_name);
  message.driver = fields.optional("driver", text_up_to(limits::kDriver));
  message.scenario = fields.optional("scenario", text_up_to(limits::kDriver));
  return message;
}

// The run stands in a `run` object, or, for those who write such a line by hand, beside `type`.
Message read_run_start(FieldReader& fields) {
  const auto* run_object = fields.optional("run", any_object).value_or(&fields.object());
  auto run = run_from_json(*run_object);
  if (!run) {
    fields.refuse(run.error(), "run");
    return RunStartMessage{};
  }
  if (run->test_run_id.empty()) fields.refuse(Errc::missing_field, "test_run_id");
  return RunStartMessage{*std::move(run)};
}

Message read_run_end(FieldReader& fields) {
  return RunEndMessage{fields.required("test_run_id", read_run_id)};
}

Message read_status(FieldReader&) {
  return StatusRequest{};
}

// What only some kinds have: `merge` says something of gauges only, `bounds` of histograms only.
void read_kind_fields(FieldReader& fields, FamilySpec& spec) {
  const auto merge = fields.optional("merge", read_merge);
  if (spec.kind == Kind::gauge) {
    spec.merge = merge.value_or(Merge::sum);
  } else if (merge && *merge != Merge::sum) {
    fields.refuse(Errc::invalid_definition, "merge");
  }

  auto bounds = fields.optional("bounds", read_numbers);
  if (spec.kind == Kind::histogram) {
    spec.bounds = bounds ? *std::move(bounds) : default_duration_bounds();
  } else if (bounds) {
    fields.refuse(Errc::invalid_definition, "bounds");
  }
}

Message read_define(FieldReader& fields) {
  DefineMessage message;
  FamilySpec& spec = message.spec;
  message.id = static_cast<std::uint32_t>(
      fields.required("id", whole_up_to(std::numeric_limits<std::uint32_t>::max())));
  const std::string name = fields.required("name", any_text);
  spec.kind = fields.required("kind", read_kind);
  spec.unit = fields.optional("unit", any_text).value_or("");
  spec.help = fields.optional("help", any_text).value_or("");
  spec.label_names = fields.optional("labels", read_names).value_or(LabelNames{});
  spec.base_name = base_name_of(name, spec.kind, spec.unit);
  read_kind_fields(fields, spec);
  if (const auto valid = validate(spec); !valid) fields.refuse(valid.error(), "");
  return message;
}

// A number, or the observations of a histogram: at least one.
Result<std::vector<double>> read_sample_values(const json::value& value) {
  if (value.is_array()) {
    auto values = read_numbers(value);
    if (values && values->empty()) return Errc::missing_field;
    return values;
  }
  const auto number = read_number(value);
  if (!number) return number.error();
  return std::vector<double>{*number};
}

// A bucket's index: of any double at any scale.
Result<std::int32_t> read_index(const json::value& value) {
  constexpr double kMost = 1 << 20;
  const auto number = read_number(value);
  if (!number) return number.error();
  if (!(std::abs(*number) <= kMost) || *number != std::trunc(*number)) return Errc::out_of_range;
  return static_cast<std::int32_t>(*number);
}

// A list of at most so many items.
template <class ReadItem>
auto up_to(std::size_t most, ReadItem read_item) {
  return [most, read_item](const json::value& value) -> decltype(read_list(value, read_item)) {
    const auto* array = value.if_array();
    if (array != nullptr && array->size() > most) return Errc::limit_reached;
    return read_list(value, read_item);
  };
}

// Whether the buckets are the family's is seen where that is known.
Result<HistogramDelta> read_delta(const json::object& object) {
  FieldReader fields(object);
  const auto read_count = whole_up_to(limits::kWhole);
  HistogramDelta delta;
  delta.sum = fields.required("sum", read_number);
  delta.buckets = fields.required("buckets", up_to(limits::kBounds + 1, read_count));
  const std::int32_t scale = fields.required("scale", read_index);
  const std::uint64_t zero_count = fields.optional("zero", read_count).value_or(0);
  const auto indices = fields.required("indices", up_to(limits::kLiveBuckets, read_index));
  const auto counts = fields.required("counts", up_to(limits::kLiveBuckets, read_count));
  if (fields.fault()) return fields.fault()->reason;
  if (indices.size() != counts.size()) return Errc::out_of_range;
  std::vector<Bucket> buckets(indices.size());
  for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] = {indices[i], counts[i]};
  auto exponential = ExponentialHistogram::of_buckets(scale, zero_count, buckets);
  if (!exponential) return exponential.error();
  delta.exponential = *std::move(exponential);
  return delta;
}

Result<LabelValues> read_label_values(const json::value& value) {
  const auto* array = value.if_array();
  if (array != nullptr && array->size() > limits::kLabels) return Errc::label_mismatch;
  return read_list(value, text_up_to(limits::kLabelValue));
}

Result<Sample> read_sample(const json::value& row) {
  const auto* cells = row.if_array();
  if (cells == nullptr || cells->size() != 3) return Errc::wrong_type;
  const auto id = read_whole((*cells)[0], std::numeric_limits<std::uint32_t>::max());
  if (!id) return id.error();
  auto labels = read_label_values((*cells)[1]);
  if (!labels) return labels.error();
  Sample sample{static_cast<std::uint32_t>(*id), *std::move(labels), {}, {}};
  if (const auto* object = (*cells)[2].if_object(); object != nullptr) {
    auto delta = read_delta(*object);
    if (!delta) return delta.error();
    sample.delta = *std::move(delta);
    return sample;
  }
  auto values = read_sample_values((*cells)[2]);
  if (!values) return values.error();
  sample.values = *std::move(values);
  return sample;
}

// Both fields or neither.
std::optional<StreamPosition> read_position(FieldReader& fields) {
  const auto stream = fields.optional("stream", read_stream);
  const auto first_seq = fields.optional("first_seq", read_sequence_number);
  if (stream.has_value() != first_seq.has_value()) {
    fields.refuse(Errc::missing_field, stream ? "first_seq" : "stream");
  }
  if (!stream || !first_seq) return std::nullopt;
  return StreamPosition{*stream, *first_seq};
}

Message read_samples(FieldReader& fields) {
  SamplesMessage message;
  message.position = read_position(fields);
  const json::array* rows = fields.required("rows", any_array);
  if (rows == nullptr) return message;
  if (rows->size() > limits::kSampleRows) {
    fields.refuse(Errc::limit_reached, "rows");
    return message;
  }
  if (message.position && message.position->first_seq > limits::kWhole - rows->size()) {
    fields.refuse(Errc::out_of_range, "first_seq");
  }
  for (const json::value& row : *rows) {
    auto sample = read_sample(row);
    if (sample) {
      message.samples.push_back(*std::move(sample));
    } else {
      const std::size_t place = message.samples.size() + message.refused.size();
      message.refused.push_back({.row = place, .reason = json_errc(sample.error())});
    }
  }
  return message;
}

Message read_heartbeat(FieldReader& fields) {
  return HeartbeatMessage{.dropped = fields.required("dropped", read_drop_counts),
                          .total = fields.optional("total", read_drop_counts)};
}

Result<std::string> read_id(const json::value& value) {
  auto text = read_text(value, kIdDigits);
  if (text && (text->size() != kIdDigits || text->find_first_not_of("0123456789abcdef") != text->npos)) {
    return Errc::invalid_characters;
  }
  return text;
}

Result<StreamPosition> read_stream_position(const json::value& value) {
  return read_fields(value, [](FieldReader& fields) {
    return StreamPosition{fields.required("stream", read_stream),
                          fields.required("first_seq", read_sequence_number)};
  });
}

Result<StreamProgress> read_stream_progress(const json::value& value) {
  return read_fields(value, [](FieldReader& fields) {
    return StreamProgress{fields.required("stream", read_stream),
                          fields.required("folded", whole_up_to(limits::kWhole)),
                          fields.required("durable", whole_up_to(limits::kWhole))};
  });
}

Message read_hello(FieldReader& fields) {
  HelloMessage message;
  message.protocol = static_cast<std::uint32_t>(
      fields.required("protocol", whole_up_to(std::numeric_limits<std::uint32_t>::max())));
  message.client_id = fields.required("client_id", read_id);
  message.pid = fields.optional("pid", whole_up_to(limits::kWhole)).value_or(0);
  message.streams = fields.required("streams", up_to(limits::kStreams, read_stream_position));
  return message;
}

Message read_welcome(FieldReader& fields) {
  WelcomeMessage message;
  message.protocol = static_cast<std::uint32_t>(
      fields.required("protocol", whole_up_to(std::numeric_limits<std::uint32_t>::max())));
  message.store_id = fields.required("store_id", read_id);
  message.known = fields.optional("known", any_bool);
  message.forgotten = fields.optional("forgotten", any_bool).value_or(false);
  message.streams = fields.required("streams", up_to(limits::kStreams, read_stream_progress));
  return message;
}

Message read_ack(FieldReader& fields) {
  return AckMessage{fields.required("streams", up_to(limits::kStreams, read_stream_progress))};
}

Message read_flush(FieldReader&) {
  return FlushMessage{};
}

Message read_bye(FieldReader&) {
  return ByeMessage{};
}

Message read_adopt(FieldReader&) {
  return AdoptMessage{};
}

Message read_adopted(FieldReader& fields) {
  AdoptedMessage message;
  message.client_id = fields.required("client_id", any_text);
  message.records = fields.required("records", whole_up_to(limits::kWhole));
  message.file_lines = fields.required("file_lines", whole_up_to(limits::kWhole));
  message.whole = fields.required("whole", any_bool);
  message.error = fields.optional("error", any_text).value_or("");
  return message;
}

Result<std::string> read_task_id(const json::value& value) {
  auto text = read_text(value, limits::kTaskText);
  if (text && text->empty()) return Errc::missing_field;
  return text;
}

Result<double> read_interval(const json::value& value) {
  const auto seconds = read_number(value);
  if (!seconds) return seconds;
  if (!(*seconds >= 0 && *seconds <= limits::kTaskIntervalSeconds)) return Errc::out_of_range;
  return *seconds + 0.0;  // no -0: it would be written as another number than it is read
}

// An object's text, as compact as it can be said.
Result<std::string> read_task_object(const json::value& value) {
  const auto object = any_object(value);
  if (!object) return object.error();
  std::string text;
  append_json(text, value);
  if (text.size() > limits::kTaskObject) return Errc::too_long;
  return text;
}

// Both fields or neither.
std::optional<TaskSampleOrigin> read_origin(FieldReader& fields) {
  auto sender_id = fields.optional("sender_id", read_id);
  const auto number = fields.optional("number", read_sequence_number);
  if (sender_id.has_value() != number.has_value()) {
    fields.refuse(Errc::missing_field, sender_id ? "number" : "sender_id");
  }
  if (!sender_id || !number) return std::nullopt;
  return TaskSampleOrigin{*std::move(sender_id), *number};
}

Message read_task_sample(FieldReader& fields) {
  TaskSampleMessage message;
  message.task_id = fields.required("task_id", read_task_id);
  message.node = fields.optional("node", text_up_to(limits::kTaskText)).value_or("");
  message.role = fields.optional("role", text_up_to(limits::kTaskText)).value_or("");
  message.pid = fields.optional("pid", whole_up_to(limits::kWhole)).value_or(0);
  message.history_size =
      fields.optional("history_size", whole_up_to(limits::kTaskHistory)).value_or(limits::kTaskHistoryUsual);
  message.interval = fields.optional("interval", read_interval).value_or(0);
  message.metrics = fields.required("metrics", read_task_object);
  message.aggregated = fields.optional("aggregated", read_task_object).value_or("");
  message.origin = read_origin(fields);
  return message;
}

struct TypeEntry {
  std::string_view type;
  Message (*read)(FieldReader&);
};

// Every type of message; a new one is an entry here, an alternative of Message and an encode().
constexpr std::array<TypeEntry, 15> kTypes{{{"users", read_users},
                                            {"run_start", read_run_start},
                                            {"run_end", read_run_end},
                                            {"status", read_status},
                                            {"define", read_define},
                                            {"samples", read_samples},
                                            {"heartbeat", read_heartbeat},
                                            {"hello", read_hello},
                                            {"welcome", read_welcome},
                                            {"ack", read_ack},
                                            {"flush", read_flush},
                                            {"bye", read_bye},
                                            {"adopt", read_adopt},
                                            {"adopted", read_adopted},
                                            {"task_sample", read_task_sample}}};

// Unlike other fields, a `type` that reads null is not absent: who wrote it did not mean an operation.
Result<std::string> read_type(const json::object& object) {
  const json::value* type = object.if_contains("type");
  return type == nullptr ? Errc::missing_field : any_text(*type);
}

Message read_by_type(FieldReader& fields) {
  const auto type = read_type(fields.object());
  if (!type) {
    fields.refuse(type.error(), "type");
    return UnknownMessage{};
  }
  for (const TypeEntry& entry : kTypes) {
    if (entry.type == *type) return entry.read(fields);
  }
  return UnknownMessage{std::string(utf8_prefix(*type, limits::kTypeName))};
}

}  // namespace

boost::system::result<Message, Refusal> read_message(const json::object& object) {
  FieldReader fields(object);
  Message message = read_by_type(fields);
  if (const auto& fault = fields.fault()) return Refusal{fault->reason, fault->field};
  return message;
}

}  // namespace metricsd::ipc
