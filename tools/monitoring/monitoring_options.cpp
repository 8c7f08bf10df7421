#include "monitoring_options.h"

#include "job_name.h"

#include <metricsd/models/labels.h>
#include <metricsd/models/text.h>

#include <array>

#include <CLI/CLI.hpp>
#include <unistd.h>

namespace metricsd::tools {

namespace {

constexpr std::size_t kLongestNode = 255;  // a host's name

// What is unset in a script (`--push "$URL"`) is not to be left out without a word.
CLI::Option* not_empty(CLI::Option* option) {
  return option->check(CLI::Validator(
      [](const std::string& text) { return text.empty() ? std::string("must not be empty") : std::string(); },
      ""));
}

std::string fault_of_namespace(const std::string& text) {
  return is_metric_name(text) ? "" : "'" + text + "' is no namespace of metrics";
}

void add_profile_options(CLI::App& app, MonitoringOptions& options) {
  ProfileFlags& profile = options.profile;
  not_empty(app.add_option(
      "--profile", profile.profile,
      "How closely to look: standard, minimal, intensive, batch, realtime, daemon, a file or JSON"));
  app.add_option("--interval", profile.interval_seconds, "Seconds between samples, 0.01 to 86400");
  // CLI11 takes an optional for a counter, and sets it to 0.
  CLI::Option* const on = app.add_flag_callback(
      "--monitoring", [&profile] { profile.enabled = true; }, "Look, whatever else says no");
  CLI::Option* const off = app.add_flag_callback(
      "--no-monitoring", [&profile] { profile.enabled = false; }, "Do not look at all");
  on->excludes(off);
  app.add_flag("--service", profile.service,
               "It is a service: the profile daemon, where nothing else is said");
  not_empty(app.add_option("--task", options.task_file,
                           "A task's file: JSON with id, daemon and monitoringProfile"));
  app.add_flag("--system", options.with_system, "The whole machine, too");
}

void add_run_options(CLI::App& app, MonitoringOptions& options) {
  app.add_option("--job", options.job, "What the job's name, NAME_<unix seconds>, begins with");
  app.add_option("--export-dir", options.export_dir, "Where the run's directory is made")
      ->capture_default_str();
  app.add_option("--node", options.node, "The name of this node (default: the host's)");
  app.add_flag("--quiet", options.quiet, "No summary");
}

void add_destination_options(CLI::App& app, MonitoringOptions& options) {
  app.add_flag("--no-export", options.no_export, "Files only: no daemon, no Pushgateway, no MQTT");
  app.add_option("--socket", options.socket, "The daemon's socket (default: where clients usually look)");
  app.add_option("--metrics.namespace", options.metric_namespace,
                 "What the names of the metrics begin with; the daemon's --metrics.namespace")
      ->capture_default_str()
      ->check(CLI::Validator(fault_of_namespace, ""));
  CLI::Option* const push = not_empty(app.add_option(
      "--push", options.push.url, "Tell the Pushgateway at this URL; spawn: start one for the run"));
  app.add_flag("--push-delete", options.push.delete_after, "Delete the job there once it has ended")
      ->needs(push);
  MqttOptions& mqtt = options.mqtt;
  not_empty(
      app.add_option("--mqtt", mqtt.url, "Tell the broker at mqtt://HOST[:PORT] or mqtts://HOST[:PORT]"));
  app.add_option("--mqtt.credentials", mqtt.credentials_file, "A file of two lines: the user, the password");
  app.add_option("--mqtt.ca", mqtt.ca_file, "Certificates that mqtts:// trusts (default: the system's)");
  app.add_option("--mqtt.domain", mqtt.domain, "{domain} of the topic")->capture_default_str();
  app.add_option("--mqtt.channel", mqtt.channel, "{channel} of the topic")->capture_default_str();
  app.add_option("--mqtt.topic", mqtt.topic, "The topic; it may name {domain}, {channel}, {node} and {task}")
      ->capture_default_str();
}

std::string host_name() {
  std::array<char, kLongestNode + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  std::string clean;
  assign_clean(clean, name.data(), kLongestNode);
  return clean;
}

// "" or what is wrong with what stands on the command line as it is.
std::string fault_of(const MonitoringOptions& options) {
  if (!options.job.empty() && !is_job_base(options.job)) return "--job must be 1 to 200 bytes of UTF-8";
  if (!is_clean(options.node, kLongestNode)) return "--node must be at most 255 bytes of UTF-8";
  return {};
}

std::string base_of(const MonitoringOptions& options, const TaskFile& file, std::string_view suggested) {
  if (!options.job.empty()) return options.job;
  if (!file.id.empty()) return file.id;
  constexpr std::size_t kLongestSuggestion = 64;
  std::string base;
  assign_clean(base, suggested, kLongestSuggestion);
  return base.empty() ? "run" : base;
}

}  // namespace

void add_monitoring_options(CLI::App& app, MonitoringOptions& options) {
  add_profile_options(app, options);
  add_run_options(app, options);
  add_destination_options(app, options);
}

std::optional<TaskPlan> plan_task(const MonitoringOptions& options, std::string_view suggested,
                                  const Clock& clock, std::string& why) {
  why = fault_of(options);
  std::optional<TaskFile> file;
  if (why.empty() && !options.task_file.empty()) file = read_task_file(options.task_file, why);
  if (!why.empty()) return std::nullopt;
  auto profile = choose_profile(options.profile, file ? &*file : nullptr, variables_of_process(), why);
  if (!profile) return std::nullopt;

  const TaskFile task_file = file.value_or(TaskFile{});
  TaskPlan plan;
  plan.is_service = options.profile.service || task_file.daemon;
  plan.base = base_of(options, task_file, suggested);
  plan.task.profile = *profile;
  if (!profile->enabled) return plan;  // nobody will hear of the job
  plan.task.job_name = claim_job_name(job_directory(), plan.base, clock.now());
  plan.task.task_id = task_file.id.empty() ? plan.task.job_name : task_file.id;
  plan.task.node = options.node.empty() ? host_name() : options.node;
  return plan;
}

}  // namespace metricsd::tools
