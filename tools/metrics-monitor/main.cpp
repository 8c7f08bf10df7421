// metrics-monitor: measures what already runs, from outside: processes by number or by name with all their
// descendants, or the whole machine.

#include "attachment.h"
#include "options.h"
#include "proc_view.h"
#include "program_end.h"
#include "roots.h"
#include "session.h"
#include "signal_source.h"

#include <metricsd/exporters/text_table.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <limits>
#include <string>
#include <utility>
#include <variant>

#include <unistd.h>

namespace metricsd::tools {

namespace {

constexpr const char* kProgram = "metrics-monitor";
constexpr int kFailed = 1;
constexpr int kUsage = 2;

int complain(const std::string& line, int exit_code) {
  std::fprintf(stderr, "%s: %s\n", kProgram, exporters::printable(line).c_str());
  return exit_code;
}

// The job's name in front, where nothing else says one: what is watched.
std::string suggested_name(const AttachOptions& options) {
  if (!options.pattern.empty()) return options.pattern;
  if (options.pids.empty()) return "system";
  std::ifstream file("/proc/" + std::to_string(options.pids[0]) + "/comm");
  std::string comm;
  std::getline(file, comm);
  return comm;
}

// INT, TERM and HUP end the watching with a last sample; the others do what they always do.
sigset_t signals_left_alone() {
  sigset_t set = no_signals();
  for (const int signal : {SIGTSTP, SIGTTIN, SIGTTOU, SIGQUIT, SIGUSR1, SIGUSR2}) ::sigaddset(&set, signal);
  return set;
}

class Deadline {
 public:
  explicit Deadline(const std::optional<double>& seconds) {
    if (seconds) at_ = Clock::now() + std::chrono::nanoseconds(std::llround(*seconds * 1e9));
  }
  [[nodiscard]] bool is_over() const { return at_ && Clock::now() >= *at_; }
  [[nodiscard]] int wait_ms(int at_most) const {
    if (!at_) return at_most;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*at_ - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, at_most));
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::optional<Clock::time_point> at_;
};

// What ended it.
std::string watch(Session& session, Attachment& attachment, const SignalSource& signals,
                  const Deadline& deadline, bool is_service) {
  Monitor& monitor = session.monitor();
  for (;;) {
    if (!is_service && attachment.is_over()) return "ended";
    if (deadline.is_over()) return "watched for as long as wanted";
    attachment.wait(signals.fd(), deadline.wait_ms(monitor.wait_ms()));
    while (const auto signal = signals.next()) {
      const auto number = static_cast<int>(signal->ssi_signo);
      if (number == SIGINT || number == SIGTERM || number == SIGHUP) return "interrupted";
    }
    if (monitor.wait_ms() != 0) continue;
    attachment.look_for_more();
    monitor.sample_if_due();
  }
}

int attach(const AttachOptions& options, TaskPlan plan) {
  const SignalSource signals(signals_left_alone());
  const Deadline deadline(options.duration_seconds);
  const bool is_service = plan.is_service && !options.pattern.empty();
  TreeSampler sampler(Roots{}, options.roles, plan.task.profile.collect, system_clock());
  std::string why;
  auto attachment = Attachment::make(options, sampler, why);
  if (!attachment) return complain(why, kFailed);
  const bool with_processes = !options.pids.empty() || !options.pattern.empty();
  Session session(kProgram, options.monitoring, std::move(plan), {}, with_processes, system_clock());
  session.begin(attachment->first(), with_processes ? &sampler : nullptr);
  const std::string ending = watch(session, *attachment, signals, deadline, is_service);
  session.finish({.ending = ending}, signals);
  return 0;
}

int run(const AttachOptions& options) {
  std::string why;
  auto plan = plan_task(options.monitoring, suggested_name(options), system_clock(), why);
  if (!plan) return complain(why, kUsage);
  if (!plan->task.profile.enabled) return complain("monitoring is switched off", 0);
  if (const std::string fault = fault_of_proc(Roots{}.proc, ::getpid()); !fault.empty())
    return complain(fault, kFailed);
  return attach(options, std::move(*plan));
}

}  // namespace

}  // namespace metricsd::tools

int main(int argc, char** argv) {
  using namespace metricsd::tools;
  try {
    auto options = parse_options(argc, argv);
    if (const int* const exit_code = std::get_if<int>(&options)) return *exit_code;
    end_program(run(std::get<AttachOptions>(options)));
  } catch (const std::exception& error) {
    return complain(error.what(), kFailed);
  }
}
