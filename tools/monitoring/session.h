// One watching from its first sample to what is said at its end: the run with its directory, the files, the
// destinations, the monitor. What fails of them is said and left out; who is watched never notices.
#pragma once

#include "monitor.h"
#include "monitoring_options.h"
#include "signal_source.h"

#include <metricsd/client/collector.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace metricsd::tools {

struct SessionEnd {
  std::optional<int> exit_code{};                    // of the command, as a shell's
  std::string ending{};                              // the same in words
  std::optional<std::uint64_t> peak_memory_bytes{};  // as the kernel saw it
};

// One thread, in which all signals are blocked: it starts threads.
class Session {
 public:
  // `program` says who complains, on stderr. `command` is empty of what is attached to. Without processes
  // only the machine is watched.
  Session(std::string program, const MonitoringOptions& options, TaskPlan plan,
          std::vector<std::string> command, bool with_processes, const Clock& clock);

  [[nodiscard]] const Task& task() const { return plan_.task; }
  // The run's; empty where there is none.
  [[nodiscard]] const std::filesystem::path& directory() const { return run_.directory(); }

  // Takes the first sample. `tree` may be null.
  void begin(pid_t pid, TreeSampler* tree);
  // After begin().
  [[nodiscard]] Monitor& monitor() { return *monitor_; }
  // Takes the last sample, finishes everything and prints the summary. INT or TERM, where `signals` has one
  // that comes meanwhile, ends the waiting for destinations.
  void finish(const SessionEnd& end, const SignalSource& signals);

 private:
  void make_destinations();
  void complain_of(const client::Report& report) const;
  void print(const SessionEnd& end, double wall_seconds, const client::Report& report) const;
  [[nodiscard]] std::string left_running() const;
  void complain(const std::string& line) const;

  const std::string program_;
  const MonitoringOptions& options_;
  TaskPlan plan_;
  const std::vector<std::string> command_;
  const Clock& clock_;

  client::Collector run_;
  Monitor::Destinations destinations_;
  std::optional<ProcessFiles> files_;
  std::optional<SystemSampler> system_;
  std::optional<Monitor> monitor_;
  Timestamp start_time_;
  std::int64_t start_ns_ = 0;
};

}  // namespace metricsd::tools
