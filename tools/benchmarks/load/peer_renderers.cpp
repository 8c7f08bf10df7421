#include "renderers.h"

#include <metricsd/models/decimal.h>

#include <array>
#include <string_view>

namespace metricsd::load {

namespace {

void append_words(std::string& out, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) out += word;
}

// "operation.upload.s3.rest.success"
void append_dotted_name(std::string& out, const Event& event) {
  const LabelSet& labels = event.labels();
  append_words(
      out, {"operation.", labels.operation, ".", labels.workload, ".", labels.driver, ".", event.status()});
}

void append_collectd_name(std::string& out, const Event& event, std::string_view type,
                          std::string_view instance) {
  const LabelSet& labels = event.labels();
  append_words(out, {"PUTVAL load/operation-", labels.workload, ".", labels.driver, ".", event.status(), "/",
                     type, "-", labels.operation, ".", instance, " interval=10 N:"});
}

void append_statsd(PayloadBuilder& out, std::span<const Event> events) {
  std::string& text = out.text();
  for (const Event& event : events) {
    append_dotted_name(text, event);
    text += ".operations:1|c\n";
    append_dotted_name(text, event);
    text += ".duration:";
    append_ns_as_milliseconds(text, event.duration_ns);
    text += "|ms\n";
    append_dotted_name(text, event);
    text += ".bytes:";
    append_integer(text, event.bytes);
    text += "|c\n";
  }
}

void append_influx(PayloadBuilder& out, std::span<const Event> events) {
  std::string& text = out.text();
  for (const Event& event : events) {
    const LabelSet& labels = event.labels();
    append_words(text, {"operation,operation=", labels.operation, ",workload=", labels.workload,
                        ",driver=", labels.driver, ",status=", event.status(), " count=1,duration_ms="});
    append_ns_as_milliseconds(text, event.duration_ns);
    text += ",bytes=";
    append_integer(text, event.bytes);
    text += '\n';
  }
}

void append_collectd(PayloadBuilder& out, std::span<const Event> events) {
  std::string& text = out.text();
  for (const Event& event : events) {
    append_collectd_name(text, event, "derive", "operations");
    out.add(event.series(), 1);
    out.append(event.series());
    text += '\n';
    append_collectd_name(text, event, "gauge", "duration_ms");
    append_ns_as_milliseconds(text, event.duration_ns);
    text += '\n';
    append_collectd_name(text, event, "gauge", "bytes");
    append_integer(text, event.bytes);
    text += '\n';
  }
}

void append_pushgateway(PayloadBuilder& out, std::span<const Event> events) {
  // The running total is the last thing of the body, and its digits are as many as kFirstNumber has.
  static const std::size_t kDigits = std::to_string(kFirstNumber).size();
  std::string body;
  for (const Event& event : events) {
    const LabelSet& labels = event.labels();
    body = "# TYPE operation_duration_ms gauge\noperation_duration_ms ";
    append_ns_as_milliseconds(body, event.duration_ns);
    body += "\n# TYPE operation_bytes gauge\noperation_bytes ";
    append_integer(body, event.bytes);
    body += "\n# TYPE operations_total counter\noperations_total ";

    std::string& text = out.text();
    append_words(text, {"PUT /metrics/job/load/operation/", labels.operation, "/workload/", labels.workload,
                        "/driver/", labels.driver, "/status/", event.status(),
                        " HTTP/1.1\r\nHost: load\r\nContent-Length: "});
    append_integer(text, body.size() + kDigits + 1);
    append_words(text, {"\r\n\r\n", body});
    out.add(event.series(), 1);
    out.append(event.series());
    text += '\n';
  }
}

}  // namespace

Payload render_statsd(std::span<const Event> events, std::size_t events_a_write) {
  return render_writes(events, events_a_write, append_statsd);
}
Payload render_influx(std::span<const Event> events, std::size_t events_a_write) {
  return render_writes(events, events_a_write, append_influx);
}
Payload render_collectd(std::span<const Event> events, std::size_t events_a_write) {
  return render_writes(events, events_a_write, append_collectd);
}
Payload render_pushgateway(std::span<const Event> events, std::size_t events_a_write) {
  return render_writes(events, events_a_write, append_pushgateway);
}

}  // namespace metricsd::load
