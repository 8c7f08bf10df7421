#include "session.h"

#include "command_json.h"
#include "destinations_end.h"
#include "summary.h"

#include <metricsd/exporters/run_export.h>
#include <metricsd/models/json/writer.h>

#include <csignal>
#include <cstdio>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace metricsd::tools {

namespace {

// What test_config.json says of the load: the command.
std::string config_of(const std::vector<std::string>& command) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_command(json, command);
  json.end_object();
  return out;
}

std::string tags_of(const Task& task) {
  std::string out;
  JsonWriter(out).begin_object().field("job_name", task.job_name).field("task_id", task.task_id).end_object();
  return out;
}

client::RunOptions run_options(const MonitoringOptions& options, const TaskPlan& plan,
                               const std::vector<std::string>& command) {
  client::RunOptions run;
  run.test_name = plan.base;
  run.test_config = config_of(command);
  run.tags = tags_of(plan.task);
  run.export_dir = options.export_dir;
  run.socket = options.socket;
  run.send_to_daemon = !options.no_export;
  return run;
}

bool has_operations(const std::filesystem::path& directory) {
  std::error_code error;
  const auto size = std::filesystem::file_size(directory / exporters::kOperationsFile, error);
  return !error && size != 0;
}

// Any thread: one line at once.
void complain_as(const std::string& program, const std::string& line) {
  std::fprintf(stderr, "%s: %s\n", program.c_str(), line.c_str());
}

// Of the signals that wait, which it takes.
bool is_told_to_end(const SignalSource& signals) {
  bool is_told = false;
  while (const auto signal = signals.next()) {
    is_told |= signal->ssi_signo == SIGINT || signal->ssi_signo == SIGTERM;
  }
  return is_told;
}

std::string account_of(const Destination& destination) {
  const DestinationReport report = destination.report();
  if (report.failed == 0) return {};
  return std::string(destination.name()) + ": " + std::to_string(report.failed) + " of " +
         std::to_string(report.told + report.failed) + " observations did not arrive" +
         (report.last_error.empty() ? "" : ": " + report.last_error);
}

}  // namespace

Session::Session(std::string program, const MonitoringOptions& options, TaskPlan plan,
                 std::vector<std::string> command, bool with_processes, const Clock& clock)
    : program_(std::move(program)),
      options_(options),
      plan_(std::move(plan)),
      command_(std::move(command)),
      clock_(clock),
      run_(run_options(options_, plan_, command_)) {
  if (!run_) complain(run_.error());
  if (!directory().empty())
    files_.emplace(directory(), task(), Watched{with_processes, options_.with_system});
  if (!options_.no_export) make_destinations();
  if (options_.with_system) system_.emplace(Roots{}, clock_);
}

void Session::make_destinations() {
  const auto add = [this](std::unique_ptr<Destination> made, const char* flag, const std::string& why) {
    if (made) {
      destinations_.push_back(std::move(made));
    } else {
      complain(std::string(flag) + ": " + why);
    }
  };
  std::string why;
  add(make_daemon_destination(run_, options_.metric_namespace), "metricsd", why);
  const Say say = [program = program_](const std::string& line) { complain_as(program, line); };
  if (PushOptions push = options_.push; !push.url.empty()) {
    push.say = say;
    add(make_push_destination(push, options_.metric_namespace, why), "--push", why);
  }
  if (options_.mqtt.url.empty()) return;
  if (!task().profile.export_to_mqtt) {
    complain("--mqtt: the profile does not export to MQTT");
    return;
  }
  MqttOptions mqtt = options_.mqtt;
  mqtt.say = say;
  add(make_mqtt_destination(mqtt, task().node, why), "--mqtt", why);
}

void Session::begin(pid_t pid, TreeSampler* tree) {
  plan_.task.pid = pid;
  start_time_ = clock_.now();
  start_ns_ = clock_.monotonic_ns();
  monitor_.emplace(task(), tree, system_ ? &*system_ : nullptr, files_ ? &*files_ : nullptr, destinations_,
                   clock_);
  monitor_->sample();
}

void Session::finish(const SessionEnd& end, const SignalSource& signals) {
  const Timestamp end_time = clock_.now();
  const double wall_seconds = static_cast<double>(clock_.monotonic_ns() - start_ns_) / kNsPerSecond;
  Course& course = monitor_->course();
  if (end.peak_memory_bytes && task().profile.collect.memory) {
    course.aggregates.total.note_peak_memory(*end.peak_memory_bytes);
  }
  monitor_->sample(true);
  // One that came twice, as from timeout(1), says no more than one.
  static_cast<void>(is_told_to_end(signals));
  end_all(destinations_);
  if (files_) {
    files_->finish(task(), monitor_->tree(), course.aggregates,
                   {command_, start_time_, end_time, end.exit_code});
  }
  const client::Report report = run_.finish();
  wait_for_all(destinations_, [&] { return is_told_to_end(signals); });
  complain_of(report);
  if (!options_.quiet) print(end, wall_seconds, report);
}

void Session::complain_of(const client::Report& report) const {
  for (const std::string& warning : report.warnings) complain("warning: " + warning);
  for (const std::string& problem : report.problems) {
    if (problem != run_.error()) complain(problem);  // that was said at the start
  }
  if (files_) {
    for (const std::string& problem : files_->problems()) complain(problem);
  }
  for (const auto& destination : destinations_) {
    const std::string account = account_of(*destination);
    if (!account.empty()) complain(account);
  }
}

void Session::print(const SessionEnd& end, double wall_seconds, const client::Report& report) const {
  const TerminalStyle style = TerminalStyle::of(STDERR_FILENO);
  const Summary summary{task(), monitor_->course(), monitor_->tree(), wall_seconds,
                        end.ending + left_running()};
  std::string text = "\n" + render_summary(summary, style);
  if (report.complete && has_operations(report.directory)) text += "\n" + report.table(style.colour);
  if (!report.directory.empty()) text += "files: " + report.directory.string() + "\n";
  std::fputs(text.c_str(), stderr);
}

// What the command left behind, and nobody follows any longer.
std::string Session::left_running() const {
  const TreeSample* const tree = monitor_->tree();
  if (command_.empty() || tree == nullptr || tree->total.processes == 0) return {};
  return ", " + std::to_string(tree->total.processes) + " of its processes still run";
}

void Session::complain(const std::string& line) const {
  complain_as(program_, line);
}

}  // namespace metricsd::tools
