#include "status.h"

#include <metricsd/models/json/writer.h>

namespace metricsd::server {
namespace {

void write_texts(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
  json.key(key).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void write_ingest(JsonWriter& json, const Status& status) {
  json.key("ingest").begin_object();
  json.field("operations", status.totals.operations)
      .field("acknowledged", status.totals.acknowledged)
      .field("bytes", status.totals.bytes)
      .field("rejected_total", status.totals.rejected_in_all());
  json.key("rejected").begin_object();
  for (const auto& [reason, count] : status.totals.rejected) json.field(metricsd::reason(reason), count);
  json.end_object();
  json.field("unknown_fields", status.totals.unknown_fields)
      .field("connections", status.totals.connections)
      .field("threads", status.ingest_threads)
      .end_object();
}

std::string_view durability(const Status& status) {
  if (!status.checkpoint) return "daemon";
  if (status.checkpoint->is_shown_ahead) return "not_durable";
  if (status.checkpoint->is_failing) return "failing";
  return status.checkpoint->is_late ? "late" : "checkpoint";
}

void write_restored(JsonWriter& json, const RestoredFigures& restored) {
  json.key("restored").begin_object();
  json.field("from", to_string(restored.files.source))
      .field("generation", restored.files.generation)
      .field("bytes", restored.files.bytes)
      .field("torn_bytes", restored.files.torn_bytes);
  json.key("saved_at");
  if (restored.saved_at) {
    json.value(format_timestamp(*restored.saved_at));
  } else {
    json.null();
  }
  json.field("series", restored.series.series)
      .field("series_without_room", restored.series.no_room)
      .field("series_redefined", restored.series.conflicting)
      .field("complete", !restored.files.is_behind);
  write_texts(json, "damaged", restored.files.damaged);
  json.end_object();
}

void write_checkpoint(JsonWriter& json, const Status& status) {
  json.field("durability", durability(status)).key("checkpoint");
  if (!status.checkpoint) {
    json.null();
    return;
  }
  const CheckpointFigures& checkpoint = *status.checkpoint;
  json.begin_object()
      .field("age_seconds", static_cast<double>(checkpoint.age_ns) / 1e9)
      .field("failing", checkpoint.is_failing)
      .field("late", checkpoint.is_late)
      .field("shown_ahead", checkpoint.is_shown_ahead)
      .field("error", checkpoint.error)
      .field("failures", checkpoint.failures)
      .field("generation", checkpoint.generation)
      .field("duration_seconds", static_cast<double>(checkpoint.duration_ns) / 1e9)
      .field("pause_seconds", static_cast<double>(checkpoint.pause_ns) / 1e9)
      .field("written_bytes", checkpoint.written)
      .field("file_bytes", checkpoint.file_bytes)
      .field("damaged_files", checkpoint.bad_files);
  write_restored(json, status.restored);
  json.end_object();
}

void write_series(JsonWriter& json, const Status& status) {
  json.key("series").begin_object();
  json.field("total", status.series).field("max_per_family", status.max_series_per_family);
  json.key("overflow").begin_array();
  for (const OverflowReport& report : status.overflows) {
    json.begin_object()
        .field("family", report.family)
        .field("refused", report.refused)
        .field("exploded_label", report.exploded_label)
        .field("distinct_values", report.distinct_values)
        .end_object();
  }
  json.end_array().end_object();
}

void write_segments(JsonWriter& json, const AdoptionFigures& segments) {
  json.key("segments")
      .begin_object()
      .field("kept", segments.kept)
      .field("delivered", segments.segments)
      .field("records", segments.records)
      .field("file_lines", segments.file_lines)
      .field("refused", segments.refused)
      .field("unfinished", segments.unfinished)
      .field("not_kept", segments.not_kept)
      .end_object();
}

void write_clients(JsonWriter& json, const Status& status) {
  json.field("known_clients", status.known_clients).key("clients").begin_array();
  for (const ClientReport& client : status.clients) {
    json.begin_object()
        .field("uid", client.uid)
        .field("pid", client.pid)
        .field("client_id", client.client_id)
        .field("connected", client.connected)
        .field("emitted", client.records.emitted)
        .field("folded", client.records.folded)
        .field("rejected", client.records.rejected)
        .field("dropped", client.records.dropped)
        .end_object();
  }
  json.end_array();
}

}  // namespace

void render_status_json(std::string& out, const Status& status) {
  JsonWriter json(out);
  json.begin_object()
      .field("version", status.version)
      .field("pid", status.pid)
      .field("started_at", format_timestamp(status.started_at))
      .field("uptime_seconds", status.uptime_seconds)
      .field("ready", status.ready)
      .field("socket", status.socket);
  write_texts(json, "web", status.web);
  json.field("telemetry_path", status.telemetry_path)
      .field("namespace", status.metrics_namespace)
      .field("data_dir", status.data_dir);
  if (!status.data_dir_error.empty()) json.field("data_dir_error", status.data_dir_error);
  json.field("store_id", status.store_id);
  write_checkpoint(json, status);
  write_ingest(json, status);
  write_series(json, status);
  write_drop_counts(json.key("dropped"), status.totals.dropped);
  json.field("runs", status.runs);
  write_segments(json, status.segments);
  write_clients(json, status);
  json.end_object();
}

}  // namespace metricsd::server
