// Where samples go besides the files of the run: the one interface of the daemon, the Pushgateway and MQTT.
//
// A destination is made before the command starts and takes the first observation after that. So that the
// command inherits nothing of it, it opens no connection before its first take(); every descriptor it opens
// is close-on-exec. All signals are blocked in the thread that makes it and calls it, and in the threads it
// starts: the harness alone deals with them. The harness reaps all of its process's children and takes them
// for the command's: a destination that needs a program starts it detached, and while it is made (later the
// harness is the subreaper, to whom detached programs come, too).
#pragma once

#include "aggregate.h"
#include "process_sample.h"
#include "profile.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace metricsd::tools {

struct SystemSample;

// What is watched. Does not change while it is.
struct Task {
  std::string task_id;   // of the task file; else the job's name
  std::string job_name;  // `<name>_<unix seconds>`: the label `job_name`, and the task's id in the daemon
  std::string node;      // the host's name unless told: MQTT's proplet_id
  pid_t pid = 0;         // the root; 0 of a system, or of several processes
  Profile profile;
};

// The aggregates of a task and of its roles. Of a role the network is nothing: a namespace is shared.
struct Aggregates {
  Aggregate total;
  std::map<std::string, Aggregate, std::less<>> roles;
};

// One tick. Everything in it lives until take() returns.
struct Observation {
  const Task& task;
  const TreeSample* tree;      // null where only the system is watched
  const SystemSample* system;  // null where it is not
  const Aggregates& aggregates;
  bool is_last;
};

// What is said of a destination at the end.
struct DestinationReport {
  std::uint64_t told = 0;    // observations that arrived
  std::uint64_t failed = 0;  // observations that did not
  std::string last_error{};  // one line, without the destination's name
};

// All calls from one thread, in this order: take() any number of times, end() once, wait() any number of
// times, leave() once, report().
class Destination {
 public:
  virtual ~Destination() = default;

  // Must not wait: signals are forwarded by the thread that calls it. Who talks to a network has a thread for
  // that, and keeps a bounded number of observations for it.
  virtual void take(const Observation& observation) noexcept = 0;
  // Nothing more is to be taken: the rest is told, for which there are kFinishSeconds at most from now on.
  // Does not wait either.
  virtual void end() noexcept {}
  // Waits so long at most: whether there is nothing more to wait for.
  [[nodiscard]] virtual bool wait(std::chrono::milliseconds /*within*/) noexcept { return true; }
  // What has not arrived until now has failed.
  virtual void leave() noexcept {}
  [[nodiscard]] virtual std::string_view name() const = 0;  // "metricsd", "Pushgateway", "MQTT"
  [[nodiscard]] virtual DestinationReport report() const = 0;
};

inline constexpr int kFinishSeconds = 5;

}  // namespace metricsd::tools
