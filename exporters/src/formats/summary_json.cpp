#include <metricsd/exporters/run_summary.h>
#include <metricsd/models/timestamp.h>

#include <cstddef>
#include <optional>
#include <string_view>

namespace metricsd::exporters {
namespace {

// What scale 8 of an exponential histogram promises: half a bucket's width, 2^(2^-9) - 1.
constexpr double kLiveRelativeError = 0.0014;

class SummaryWriter {
 public:
  SummaryWriter(std::string& out, const RunSummary& summary, JsonWriter::Style style)
      : json_(out, style), summary_(summary), exact_(summary.method == SummaryMethod::exact) {}

  void write() {
    json_.begin_object().field("schema_version", 1);
    method();
    run();
    operations(summary_.overall.operations);
    write_drop_counts(json_.key("dropped"), summary_.dropped);
    json_.key("overall").begin_object();
    group(summary_.overall);
    json_.end_object();
    by_operation();
    errors();
    if (exact_) windows();
    json_.end_object();
  }

 private:
  void method() {
    json_.field("method", exact_ ? "exact" : "exponential_histogram");
    if (!exact_) json_.field("relative_error", kLiveRelativeError);
  }

  void run() {
    json_.field("test_run_id", summary_.test_run_id).field("test_name", summary_.test_name);
    time("start_time", summary_.start_time);
    time("end_time", summary_.end_time);
    json_.field("duration_seconds", summary_.duration_seconds);
  }

  void operations(const OperationCounts& counts) {
    json_.key("operations").begin_object();
    json_.field("total", counts.total)
        .field("successful", counts.successful)
        .field("failed", counts.failed());
    number("success_rate", counts.success_rate());
    json_.end_object();
  }

  // The fields of a GROUP into the object that is open.
  void group(const GroupSummary& group) {
    operations(group.operations);
    statistics("duration_ms", group.duration_ms);
    if (exact_) statistics("throughput_mbps", group.throughput_mbps);
    sizes(group.object_size_bytes);
    request_rate(group.requests_per_second);
    if (group.response_time_ms) statistics("response_time_ms", group.response_time_ms);
  }

  void statistics(std::string_view name, const std::optional<Statistics>& statistics) {
    nullable(name, statistics, [this](const Statistics& of) {
      json_.begin_object().field("count", of.count);
      json_.field("min", of.min).field("max", of.max).field("mean", of.mean);
      json_.field("median", of.percentile(500));
      for (std::size_t i = 0; i < kPercentiles.size(); ++i)
        json_.field(kPercentiles[i].name, of.percentiles[i]);
      json_.field("stddev", of.stddev).end_object();
    });
  }

  void sizes(const std::optional<SizeStatistics>& sizes) {
    nullable("object_size_bytes", sizes, [this](const SizeStatistics& of) {
      json_.begin_object().field("min", of.min).field("max", of.max);
      json_.field("mean", of.mean).field("total", of.total).end_object();
    });
  }

  void request_rate(std::optional<double> per_second) {
    json_.key("request_rate").begin_object();
    number("rps", per_second);
    if (per_second) *per_second *= 60;
    number("rpm", per_second);
    json_.end_object();
  }

  void by_operation() {
    json_.key("by_operation").begin_object();
    for (const auto& [operation_type, summary] : summary_.by_operation) {
      json_.key(operation_type).begin_object();
      group(summary);
      json_.end_object();
    }
    json_.end_object();
  }

  void errors() {
    json_.key("errors").begin_object().field("total", summary_.overall.operations.failed());
    json_.key("by_code").begin_object();
    for (const auto& [code, count] : summary_.errors_by_code) json_.field(code, count);
    json_.end_object().end_object();
  }

  void windows() {
    json_.key("windows").begin_array();
    for (const WindowSummary& window : summary_.windows) {
      json_.begin_object();
      time("window_start", window.window_start);
      json_.field("window_seconds", window.window_seconds)
          .field("operation_type", window.operation_type)
          .field("workload_type", window.workload_type);
      group(window.group);
      json_.end_object();
    }
    json_.end_array();
  }

  void time(std::string_view name, std::optional<Timestamp> at) {
    nullable(name, at, [this](Timestamp moment) { json_.value(format_timestamp(moment)); });
  }

  void number(std::string_view name, std::optional<double> value) {
    nullable(name, value, [this](double present) { json_.value(present); });
  }

  // What is not known is there, as null: a reader finds every key.
  template <class T, class Write>
  void nullable(std::string_view name, const std::optional<T>& value, Write write) {
    json_.key(name);
    if (value) {
      write(*value);
    } else {
      json_.null();
    }
  }

  JsonWriter json_;
  const RunSummary& summary_;
  const bool exact_;
};

}  // namespace

void render_summary_json(std::string& out, const RunSummary& summary, JsonWriter::Style style) {
  SummaryWriter(out, summary, style).write();
}

}  // namespace metricsd::exporters
