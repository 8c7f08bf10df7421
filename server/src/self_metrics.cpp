#include "self_metrics.h"

#include "operation_families.h"

#include <metricsd/models/limits.h>

#include <memory>
#include <utility>

namespace metricsd::server {
namespace {

// The values are those of one process and have one owner.
constexpr Gauge::Owner kSelf = 0;

// Short words for what follows; names are as in docs/metrics.md.
class Writer {
 public:
  Writer(Registry& registry, const Moment& now) : registry_(registry), now_(now) {}

  Family<Counter>& counter(std::string name, std::string unit, std::string help, LabelNames labels = {}) {
    return define<Counter>(std::move(name), std::move(unit), std::move(help), std::move(labels));
  }

  void count(Family<Counter>& family, const LabelValues& labels, std::uint64_t value) {
    family.at(labels, now_).apply(value);
  }

  void count(std::string name, std::string unit, std::string help, std::uint64_t value) {
    count(counter(std::move(name), std::move(unit), std::move(help)), {}, value);
  }

  void gauge(FamilySpec spec, const LabelValues& labels, double value) {
    registry_.define<Gauge>(std::move(spec)).value()->at(labels, now_).apply(kSelf, value, now_.monotonic_ns);
  }

  void gauge(std::string name, std::string unit, std::string help, double value) {
    define<Gauge>(std::move(name), std::move(unit), std::move(help), {})
        .at(LabelValues{}, now_)
        .apply(kSelf, value, now_.monotonic_ns);
  }

  void seconds_counter(std::string name, std::string help, double value) {
    define<Counter>(std::move(name), "seconds", std::move(help), {}).at(LabelValues{}, now_).apply(value);
  }

 private:
  template <class K>
  Family<K>& define(std::string name, std::string unit, std::string help, LabelNames labels) {
    FamilySpec spec;
    spec.base_name = std::move(name);
    spec.unit = std::move(unit);
    spec.help = std::move(help);
    spec.label_names = std::move(labels);
    spec.merge = Merge::max;
    return *registry_.define<K>(std::move(spec)).value();
  }

  Registry& registry_;
  const Moment& now_;
};

void write_ingest(Writer& out, const IngestTotals& totals) {
  auto& operations = out.counter("metricsd_ingest_operations", "",
                                 "Operations taken, by what the sender learns of it.", {"delivery"});
  out.count(operations, {"acknowledged"}, totals.acknowledged);
  out.count(operations, {"unacknowledged"}, totals.operations - totals.acknowledged);
  out.count("metricsd_ingest", "bytes", "Bytes read from senders.", totals.bytes);
  out.count("metricsd_unknown_fields", "", "Fields of operations that this version does not know.",
            totals.unknown_fields);
  auto& rejected =
      out.counter("metricsd_rejected", "", "Lines, messages and samples refused, by reason.", {"reason"});
  for (const auto& [reason, count] : totals.rejected)
    out.count(rejected, {std::string(metricsd::reason(reason))}, count);
  auto& dropped = out.counter("metricsd_dropped", "",
                              "Losses that senders told of, and holes in their streams.", {"sink", "cause"});
  for (const auto& [sink, causes] : totals.dropped) {
    for (const auto& [cause, count] : causes) out.count(dropped, {sink, cause}, count);
  }
  out.gauge("metricsd_connections", "", "Senders connected now.", static_cast<double>(totals.connections));
}

void write_series(Writer& out, const SelfFigures& figures) {
  out.gauge("metricsd_series", "", "Series held, the daemon's own aside.",
            static_cast<double>(figures.series));
  out.count("metricsd_series_overflow", "", "Observations folded into an overflow series for want of room.",
            figures.overflowed);
}

void write_tasks(Writer& out, const SelfFigures& figures) {
  out.gauge("metricsd_tasks", "", "Tasks of which samples are kept.",
            static_cast<double>(figures.tasks.tasks));
  out.gauge("metricsd_task_history", "bytes", "What these samples take up.",
            static_cast<double>(figures.tasks.bytes));
  out.count("metricsd_task_samples", "", "Samples of tasks taken.", figures.totals.task_samples);
  out.count("metricsd_task_samples_dropped", "",
            "Samples of tasks let go before their time, for want of room.",
            figures.totals.task_samples_dropped);
}

void write_process(Writer& out, const ProcessFigures& process) {
  out.seconds_counter("process_cpu", "User and system CPU time spent.", process.cpu_seconds);
  out.gauge("process_open_fds", "", "Open file descriptors.", static_cast<double>(process.open_fds));
  out.gauge("process_max_fds", "", "Most file descriptors that may be open.",
            static_cast<double>(process.max_fds));
  out.gauge("process_virtual_memory", "bytes", "Virtual memory size.",
            static_cast<double>(process.virtual_memory_bytes));
  out.gauge("process_resident_memory", "bytes", "Resident memory size.",
            static_cast<double>(process.resident_memory_bytes));
  out.gauge("process_start_time", "seconds", "Start of the process since the Unix epoch.",
            process.start_time_seconds);
  out.gauge("process_threads", "", "Threads of the process.", static_cast<double>(process.threads));
}

void write_checkpoint(Writer& out, const CheckpointFigures& checkpoint) {
  out.gauge("metricsd_checkpoint_age", "seconds",
            "How long ago all that was counted was durable, and how old what is shown may be.",
            static_cast<double>(checkpoint.age_ns) / 1e9);
  out.gauge("metricsd_checkpoint_failing", "", "1 while checkpoints fail or are late.",
            checkpoint.is_failing || checkpoint.is_late ? 1 : 0);
  out.gauge("metricsd_checkpoint_shown_ahead", "",
            "1 while what is shown is not durable: checkpoints have failed for a minute.",
            checkpoint.is_shown_ahead ? 1 : 0);
  out.count("metricsd_checkpoint_failures", "", "Checkpoints that failed, told once one has succeeded again.",
            checkpoint.failures);
  out.gauge("metricsd_checkpoint_duration", "seconds", "How long the last checkpoint took.",
            static_cast<double>(checkpoint.duration_ns) / 1e9);
  out.gauge("metricsd_checkpoint_pause", "seconds",
            "How long the last checkpoint kept a thread from reading what senders sent.",
            static_cast<double>(checkpoint.pause_ns) / 1e9);
  out.gauge("metricsd_checkpoint_written", "bytes", "What the last checkpoint wrote.",
            static_cast<double>(checkpoint.written));
  out.gauge("metricsd_checkpoint_file", "bytes", "The file that holds the state, with what changed in it.",
            static_cast<double>(checkpoint.file_bytes));
  out.gauge("metricsd_checkpoint_damaged_files", "", "Damaged files that are kept in the data directory.",
            static_cast<double>(checkpoint.bad_files));
}

}  // namespace

Registry self_metrics(const SelfFigures& figures, const Moment& now) {
  Registry registry(std::make_shared<Catalog>(limits::kSeriesPerFamily));
  Writer out(registry, now);
  out.gauge({.base_name = "metricsd_build_info",
             .unit = {},
             .help = "The daemon's version; the value is always 1.",
             .kind = Kind::gauge,
             .label_names = {"version"},
             .merge = Merge::max,
             .bounds = {},
             .kept_label = {}},
            {std::string(figures.version)}, 1);
  write_ingest(out, figures.totals);
  write_series(out, figures);
  write_tasks(out, figures);
  if (figures.last_scrape_seconds) {
    out.gauge("metricsd_scrape_duration", "seconds", "How long the scrape before this one took to answer.",
              *figures.last_scrape_seconds);
  }
  for (const Run& run : figures.live_runs) {
    out.gauge(run_info_spec(figures.metrics_namespace),
              {run.test_run_id, run.test_name, run.scenario, run.driver}, 1);
  }
  if (figures.checkpoint) write_checkpoint(out, *figures.checkpoint);
  if (figures.process) write_process(out, *figures.process);
  return registry;
}

}  // namespace metricsd::server
