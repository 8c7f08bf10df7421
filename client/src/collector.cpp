#include "drainer.h"
#include "intake.h"
#include "metrics/metric_registry.h"
#include "metrics/metric_specs.h"
#include "record.h"
#include "run_completion.h"
#include "run_opening.h"
#include "sample_warnings.h"
#include "task_samples.h"

#include <metricsd/client/collector.h>
#include <metricsd/exporters/run_export.h>
#include <metricsd/ipc/endpoint_path.h>
#include <metricsd/models/clock.h>
#include <metricsd/models/signals_blocked.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <utility>

#include <unistd.h>

namespace metricsd::client {
namespace {

constexpr const char* kRunDirectoryVariable = "METRICSD_RUN_DIR";
constexpr std::size_t kIdPrefix = 16;  // of the client's 32 hex digits, in operation ids
// 100 years stand for ever: milliseconds::max() does not fit in nanoseconds.
constexpr std::chrono::milliseconds kLongestWait = std::chrono::hours(24 * 365 * 100);

// The run to join: what the call says, else, where the options allow it, what the environment says.
std::filesystem::path directory_to_join(const std::filesystem::path& told, const RunOptions& options) {
  if (!told.empty() || !options.join_from_environment) return told;
  const char* from_environment = std::getenv(kRunDirectoryVariable);
  return from_environment == nullptr ? "" : from_environment;
}

std::vector<std::string> without_repeats(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// Where a daemon would look for what this process leaves; nowhere, where none is to have it.
std::vector<std::filesystem::path> segment_directories_of(const RunOptions& options) {
  if (!options.send_to_daemon) return {};
  return ipc::segment_directories(options.socket, ipc::Environment::of_process());
}

}  // namespace

// Everything a collector has. The members from `intake` on are shared with the background thread; what it
// alone touches between start() and stop_and_join() is said.
struct Collector::State {
  State(RunOptions given, const std::filesystem::path& join);

  void open(const std::filesystem::path& join);
  void open_files(const std::filesystem::path& join);
  void start();
  void refuse(std::string why);

  template <class Handle, class Options, class Make>
  [[nodiscard]] Handle handle(const Options& wanted, const Make& make) noexcept;

  [[nodiscard]] bool inherited() noexcept { return intake.is_inherited(); }
  void end_part();
  Report make_report();

  const RunOptions options;
  const Clock& clock = system_clock();
  const std::string client_id = random_id();
  const Timestamp start_time = clock.now();
  Timestamp end_time;  // when finish() was called: waiting for the daemon is not part of the run

  std::string error;
  std::filesystem::path directory;
  Run run;

  Intake intake;
  const std::shared_ptr<MetricRegistry> metrics = std::make_shared<MetricRegistry>();
  TaskSamples task_samples;
  std::optional<RunMembership> membership;  // the background thread's
  Outlets outlets;                          // the background thread's
  Completion completion;                    // the background thread's
  std::optional<Drainer> drainer;           // none where nothing can be recorded
  bool finished = false;
};

Collector::State::State(RunOptions given, const std::filesystem::path& join)
    : options(std::move(given)),
      intake(client_id, {.ring_bytes = options.ring_bytes,
                         .full_ring_wait = options.full_ring_wait,
                         .users = options.num_users,
                         .segment_directories = segment_directories_of(options)}) {
  open(join);
}

void Collector::State::open(const std::filesystem::path& join) {
  std::optional<Run> wanted = run_of(options, clock, error);
  if (!wanted) return refuse(error);
  run = std::move(*wanted);
  open_files(join);
  if (!intake.is_closed()) start();
}

// Where a new run's directory cannot be made for the system's reasons (a full disk, a file size limit), the
// daemon still has its part.
void Collector::State::open_files(const std::filesystem::path& join) {
  if (!options.write_files && join.empty()) return;
  const SignalsBlocked in_this_thread(file_size_signal());
  if (!options.write_files) {
    Result<Run> found = exporters::read_run(join);
    if (!found) return refuse("cannot join the run in " + join.string() + ": " + found.error().message());
    run = std::move(*found);
    return;
  }
  auto files = join.empty() ? create_run(run, options.export_dir) : join_run(join, run);
  if (files) {
    directory = std::move(files->directory);
    membership.emplace(std::move(files->membership));
    outlets.recorder.emplace(std::move(files->operations), intake.losses(), intake.segment());
  } else if (!join.empty()) {
    refuse("cannot join the run in " + join.string() + ": " + files.error().message());
  } else if (files.error() == Errc::run_exists) {
    refuse("there is a run with this name, second and first 8 characters of the id already: " +
           run_directory_name(run));
  } else {
    outlets.count_as_not_open = true;
    error = "no files can be written in " + options.export_dir.string() + ": " + files.error().message();
  }
}

void Collector::State::start() {
  const auto or_runs = [](const std::string& own, const std::string& of_run) {
    return own.empty() ? of_run : own;
  };
  ipc::OperationBuilder::Defaults defaults{.workload_type = or_runs(options.workload_type, run.workload_type),
                                           .driver = or_runs(options.driver, run.driver),
                                           .id_prefix = client_id.substr(0, kIdPrefix)};
  intake.segment().set_run(run.test_run_id, {run_start_line(run), directory.native(), defaults.workload_type,
                                             defaults.driver, defaults.id_prefix});
  if (options.send_to_daemon) {
    const ipc::Environment environment = ipc::Environment::of_process();
    outlets.outbox.emplace(intake.segment(), options.queue_bytes);
    outlets.sender.emplace(SenderOptions{ipc::connect_paths(options.socket, environment), environment.uid},
                           run, clock, intake.losses(), intake.segment(), *outlets.outbox, task_samples);
    outlets.metrics.emplace(metrics, *outlets.outbox, *outlets.sender, clock);
  }
  ipc::OperationBuilder builder(std::move(defaults), intake.handles(),
                                ipc::CounterTimeline(ipc::CounterReading::take()));
  const std::chrono::nanoseconds timeout =
      std::clamp(options.finish_timeout, std::chrono::milliseconds::zero(), kLongestWait);
  drainer.emplace(intake, std::move(builder), outlets, timeout.count(), [this] { end_part(); });
  if (const Result<> started = drainer->start(); !started) {
    drainer.reset();
    refuse("the background thread could not be started: " + started.error().message());
  }
}

void Collector::State::refuse(std::string why) {
  error = std::move(why);
  intake.close(Loss::record_no_run);
  intake.segment().remove_name();
}

// In the background thread, when all is drained and sent.
void Collector::State::end_part() {
  if (!membership) return;
  const Intake::Account account = intake.account();
  const exporters::MemberRecord own{.client_id = client_id,
                                    .pid = ::getpid(),
                                    .start_time = start_time,
                                    .end_time = end_time,
                                    .users = intake.most_users(),
                                    .recorded = account.recorded,
                                    .dropped = drop_counts(account.lost)};
  completion = complete_run(
      *membership, directory, run, own,
      {.formats = without_repeats(options.exports), .csv_raw = options.csv_raw, .csv_bom = options.csv_bom});
  membership.reset();
}

Report Collector::State::make_report() {
  Report report;
  report.directory = directory;
  report.complete = completion.complete;
  const Intake::Account account = intake.account();
  report.recorded = account.recorded;
  report.dropped = drop_counts(account.lost);
  if (!error.empty()) report.problems.push_back(error);
  report.problems.insert(report.problems.end(), completion.problems.begin(), completion.problems.end());
  report.warnings = completion.warnings;
  const auto add_warnings = [&report](const std::vector<std::string>& lines) {
    report.warnings.insert(report.warnings.end(), lines.begin(), lines.end());
  };
  if (drainer) add_warnings(drainer->warnings());
  add_warnings(intake.handles().warnings());
  if (outlets.sender) add_warnings(outlets.sender->warnings());
  if (outlets.sender) add_warnings(warnings_of_samples(*outlets.sender, *outlets.metrics, task_samples));
  add_warnings(metrics->warnings());
  report.summary_json = completion.summary_json;
  report.plain_table_ = completion.plain_table;
  report.coloured_table_ = completion.coloured_table;
  return report;
}

std::string Report::table(bool colour) const {
  return colour ? coloured_table_ : plain_table_;
}

Collector::Collector(RunOptions options) noexcept : Collector(std::filesystem::path(), std::move(options)) {}

Collector::Collector(const std::filesystem::path& directory, RunOptions options) noexcept
    : gate_(&Gate::nowhere()) {
  try {
    const std::filesystem::path join = directory_to_join(directory, options);
    state_ = std::make_unique<State>(std::move(options), join);
    gate_ = &state_->intake.gate();
  } catch (const std::exception&) {
    // No memory even to say so: without a state nothing is recorded, and error() knows why.
  }
}

// A forked child inherits a copy of what another thread may have been changing: it is left as it lies, and
// goes with the process. The descriptors in it that matter to others were closed by the fork (fork_guard.h).
Collector::~Collector() {
  if (state_ && state_->inherited()) {
    static_cast<void>(state_.release());
  } else {
    end();
  }
}

const std::string& Collector::error() const noexcept {
  static const std::string no_memory = "no memory";
  return state_ ? state_->error : no_memory;
}

const std::filesystem::path& Collector::directory() const noexcept {
  static const std::filesystem::path none;
  return state_ ? state_->directory : none;
}

const std::string& Collector::test_run_id() const noexcept {
  static const std::string none;
  return state_ ? state_->run.test_run_id : none;
}

void Collector::record(const Operation& operation) noexcept {
  record_operation(*gate_, operation);
}

// What `make` makes of the series that is wanted; the inert one where there is none.
template <class Handle, class Options, class Make>
Handle Collector::State::handle(const Options& wanted, const Make& make) noexcept {
  try {
    if (!drainer) return {};
    const MetricSeries* series = metrics->define_or_warn(spec_of(wanted), wanted.labels);
    return series == nullptr ? Handle() : make(*series);
  } catch (const std::exception&) {
    return {};
  }
}

Counter Collector::counter(const CounterOptions& options) noexcept {
  if (!state_ || state_->inherited()) return {};
  return state_->handle<Counter>(
      options, [this](const MetricSeries& series) { return Counter(state_->metrics, series.index); });
}

Gauge Collector::gauge(const GaugeOptions& options) noexcept {
  if (!state_ || state_->inherited()) return {};
  return state_->handle<Gauge>(options, [](const MetricSeries& series) { return Gauge(series.gauge); });
}

Histogram Collector::histogram(const HistogramOptions& options) noexcept {
  if (!state_ || state_->inherited()) return {};
  return state_->handle<Histogram>(
      options, [this](const MetricSeries& series) { return Histogram(state_->metrics, series.index); });
}

void Collector::task_sample(const TaskSample& sample) noexcept {
  if (!state_ || state_->inherited() || state_->intake.is_closed() || !state_->options.send_to_daemon) return;
  state_->task_samples.push(sample);
}

void Collector::set_users(std::uint64_t count) noexcept {
  if (state_ && !state_->inherited()) state_->intake.set_users(count);
}

BoundOperation Collector::bind(std::string_view operation_type, const BoundLabels& labels) noexcept {
  if (!state_ || state_->inherited()) return {};
  return {*gate_, state_->intake.handles().bind(operation_type, labels.workload_type, labels.driver)};
}

std::uint64_t Collector::recorded() const noexcept {
  return state_ && !state_->inherited() ? state_->intake.account().recorded : 0;
}

std::uint64_t Collector::dropped() const noexcept {
  return state_ && !state_->inherited() ? total(state_->intake.account().lost) : 0;
}

void Collector::end() noexcept {
  if (!state_ || state_->inherited() || std::exchange(state_->finished, true)) return;
  if (!state_->drainer) return;
  state_->end_time = state_->clock.now();
  state_->intake.close(Loss::record_finished);
  state_->metrics->close();
  state_->drainer->stop_and_join();
}

Report Collector::finish() noexcept {
  try {
    if (!state_ || state_->inherited()) return {};
    end();
    return state_->make_report();
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace metricsd::client
