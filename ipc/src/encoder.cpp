#include <metricsd/ipc/encoder.h>
#include <metricsd/models/json/writer.h>
#include <metricsd/models/operation_json.h>
#include <metricsd/models/run_json.h>

#include <optional>

namespace metricsd::ipc {
namespace {

// One line: the object with its `type`, whatever `write_rest` adds to it, and the newline.
template <class WriteRest>
void encode_line(std::string& out, std::string_view type, const WriteRest& write_rest) {
  JsonWriter writer(out);
  writer.begin_object().field("type", type);
  write_rest(writer);
  writer.end_object();
  out.push_back('\n');
}

void write_if_given(JsonWriter& writer, std::string_view name, const std::optional<std::string>& text) {
  if (text) writer.field(name, *text);
}

void write_if_told(JsonWriter& writer, std::string_view name, const std::string& text) {
  if (!text.empty()) writer.field(name, text);
}

template <class Values>
void write_array(JsonWriter& writer, const Values& values) {
  writer.begin_array();
  for (const auto& value : values) writer.value(value);
  writer.end_array();
}

void write_delta(JsonWriter& writer, const HistogramDelta& delta) {
  writer.begin_object().field("sum", delta.sum).key("buckets");
  write_array(writer, delta.buckets);
  writer.field("scale", delta.exponential.scale()).field("zero", delta.exponential.zero_count());
  writer.key("indices").begin_array();
  delta.exponential.for_each_bucket([&writer](std::int32_t index, std::uint64_t) { writer.value(index); });
  writer.end_array().key("counts").begin_array();
  delta.exponential.for_each_bucket([&writer](std::int32_t, std::uint64_t count) { writer.value(count); });
  writer.end_array().end_object();
}

void write_row(JsonWriter& writer, const Sample& sample) {
  writer.begin_array().value(sample.id);
  write_array(writer, sample.labels);
  if (sample.delta) {
    write_delta(writer, *sample.delta);
  } else if (sample.values.size() == 1) {
    writer.value(sample.values.front());
  } else {
    write_array(writer, sample.values);
  }
  writer.end_array();
}

void write_position(JsonWriter& writer, const StreamPosition& position) {
  writer.field("stream", position.stream).field("first_seq", position.first_seq);
}

void write_progress(JsonWriter& writer, const std::vector<StreamProgress>& streams) {
  writer.key("streams").begin_array();
  for (const StreamProgress& each : streams) {
    writer.begin_object();
    writer.field("stream", each.stream).field("folded", each.folded).field("durable", each.durable);
    writer.end_object();
  }
  writer.end_array();
}

}  // namespace

void encode(std::string& out, const OperationView& operation) {
  append_operation_json(out, operation);
  out.push_back('\n');
}

void encode(std::string& out, const UsersMessage& message) {
  encode_line(out, "users", [&](JsonWriter& writer) {
    writer.field("count", message.count);
    write_if_given(writer, "workload_type", message.workload_type);
    write_if_given(writer, "driver", message.driver);
    write_if_given(writer, "scenario", message.scenario);
  });
}

void encode(std::string& out, const RunStartMessage& message) {
  encode_line(out, "run_start", [&](JsonWriter& writer) {
    writer.key("run").begin_object();
    write_run_fields(writer, message.run);
    writer.end_object();
  });
}

void encode(std::string& out, const RunEndMessage& message) {
  encode_line(out, "run_end", [&](JsonWriter& writer) { writer.field("test_run_id", message.test_run_id); });
}

void encode(std::string& out, const StatusRequest&) {
  encode_line(out, "status", [](JsonWriter&) {});
}

// The name goes as a scrape shows it: the one form from which base_name_of() always finds the same base.
void encode(std::string& out, const DefineMessage& message) {
  const FamilySpec& spec = message.spec;
  encode_line(out, "define", [&](JsonWriter& writer) {
    writer.field("id", message.id).field("name", exposition_name(spec)).field("kind", to_string(spec.kind));
    write_if_told(writer, "unit", spec.unit);
    write_if_told(writer, "help", spec.help);
    writer.key("labels");
    write_array(writer, spec.label_names);
    if (spec.kind == Kind::gauge) writer.field("merge", to_string(spec.merge));
    if (spec.kind != Kind::histogram) return;
    writer.key("bounds");
    write_array(writer, spec.bounds);
  });
}

void encode(std::string& out, const SamplesMessage& message) {
  encode_line(out, "samples", [&](JsonWriter& writer) {
    if (message.position) write_position(writer, *message.position);
    writer.key("rows").begin_array();
    for (const Sample& sample : message.samples) write_row(writer, sample);
    writer.end_array();
  });
}

void encode(std::string& out, const HeartbeatMessage& message) {
  encode_line(out, "heartbeat", [&](JsonWriter& writer) {
    write_drop_counts(writer.key("dropped"), message.dropped);
    if (message.total) write_drop_counts(writer.key("total"), *message.total);
  });
}

void encode(std::string& out, const HelloMessage& message) {
  encode_line(out, "hello", [&](JsonWriter& writer) {
    writer.field("protocol", message.protocol)
        .field("client_id", message.client_id)
        .field("pid", message.pid);
    writer.key("streams").begin_array();
    for (const StreamPosition& position : message.streams) {
      writer.begin_object();
      write_position(writer, position);
      writer.end_object();
    }
    writer.end_array();
  });
}

void encode(std::string& out, const WelcomeMessage& message) {
  encode_line(out, "welcome", [&](JsonWriter& writer) {
    writer.field("protocol", message.protocol).field("store_id", message.store_id);
    if (message.known) writer.field("known", *message.known);
    if (message.forgotten) writer.field("forgotten", true);
    write_progress(writer, message.streams);
  });
}

void encode(std::string& out, const AckMessage& message) {
  encode_line(out, "ack", [&](JsonWriter& writer) { write_progress(writer, message.streams); });
}

void encode(std::string& out, const FlushMessage&) {
  encode_line(out, "flush", [](JsonWriter&) {});
}

void encode(std::string& out, const ByeMessage&) {
  encode_line(out, "bye", [](JsonWriter&) {});
}

void encode(std::string& out, const AdoptMessage&) {
  encode_line(out, "adopt", [](JsonWriter&) {});
}

void encode(std::string& out, const AdoptedMessage& message) {
  encode_line(out, "adopted", [&](JsonWriter& writer) {
    writer.field("client_id", message.client_id)
        .field("records", message.records)
        .field("file_lines", message.file_lines)
        .field("whole", message.whole);
    if (!message.error.empty()) writer.field("error", message.error);
  });
}

void encode(std::string& out, const TaskSampleMessage& message) {
  encode_line(out, "task_sample", [&](JsonWriter& writer) {
    writer.field("task_id", message.task_id)
        .field("node", message.node)
        .field("role", message.role)
        .field("pid", message.pid)
        .field("history_size", message.history_size)
        .field("interval", message.interval);
    writer.key("metrics").raw(message.metrics);
    if (!message.aggregated.empty()) writer.key("aggregated").raw(message.aggregated);
    if (message.origin) {
      writer.field("sender_id", message.origin->sender_id).field("number", message.origin->number);
    }
  });
}

}  // namespace metricsd::ipc
