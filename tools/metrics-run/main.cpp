// metrics-run: runs any command as if it were not there, and measures what all its processes cost.
//
// The order matters: signals are blocked before the first thread exists, which are those of the run; what
// needs a process of its own starts it before this one becomes the subreaper; the command comes last.

#include "command_child.h"
#include "options.h"
#include "proc_view.h"
#include "program_end.h"
#include "roots.h"
#include "session.h"
#include "supervisor.h"

#include <metricsd/exporters/text_table.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

constexpr const char* kProgram = "metrics-run";
constexpr int kUsage = 2;

int complain(const std::string& line, int exit_code) {
  std::fprintf(stderr, "%s: %s\n", kProgram, exporters::printable(line).c_str());
  return exit_code;
}

int complain_of(const std::string& command, const CommandFault& fault) {
  return complain(command + ": " + fault.why, fault.exit_code);
}

std::uint64_t own_peak_bytes() {
  constexpr std::uint64_t kKib = 1024;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * kKib;
}

// So that a workload's operations and its processes' figures are one run.
std::vector<std::string> variables_of(const std::filesystem::path& directory) {
  if (directory.empty()) return {};
  return {"METRICSD_RUN_DIR=" + directory.string()};
}

// A Ctrl-Z stops us as it stops the command, where both are in one group.
sigset_t signals_left_alone(const Terminal& terminal) {
  sigset_t set = no_signals();
  if (!terminal.is_ours_to_give()) {
    ::sigaddset(&set, SIGTSTP);
    ::sigaddset(&set, SIGTTIN);
  }
  return set;
}

// The command is what was asked for; measuring it is not worth its failing.
int run_unmeasured(const std::vector<std::string>& command, const std::string& why) {
  complain("not measured: " + why, 0);
  return complain_of(command[0], become_command(command));
}

// The exit code. `started` once the command runs.
int measure(const RunCommandOptions& options, TaskPlan plan, const SignalSource& signals, Terminal& terminal,
            bool& started) {
  const bool wait_for_all = options.wait_for_all || plan.is_service;
  Session session(kProgram, options.monitoring, std::move(plan), options.command, true, system_clock());
  TreeSampler sampler(Roots{}, options.roles, session.task().profile.collect, system_clock());
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);

  sampler.began(system_clock().monotonic_ns());
  const auto child = start_command(options.command, variables_of(session.directory()), signals, terminal);
  started = true;
  if (const auto* const fault = std::get_if<CommandFault>(&child)) {
    return complain_of(options.command[0], *fault);
  }
  const pid_t command = std::get<pid_t>(child);
  sampler.follow(command);
  sampler.follow_orphans_of(::getpid());
  session.begin(command, &sampler);
  Supervisor supervisor({command, wait_for_all, own_peak_bytes()}, signals, terminal, sampler);
  supervisor.run(session.monitor());
  session.finish({supervisor.exit_code(), supervisor.ending(), supervisor.peak_memory_bytes()}, signals);
  // A shell leaves its loop or script only where SIGINT ended a command of it, which no exit code says.
  if (supervisor.was_interrupted()) end_program_by(SIGINT);
  return supervisor.exit_code();
}

int supervise(const RunCommandOptions& options, TaskPlan plan) {
  Terminal terminal;
  std::optional<SignalSource> signals;
  bool started = false;
  try {
    signals.emplace(signals_left_alone(terminal));
    return measure(options, std::move(plan), *signals, terminal, started);
  } catch (const std::exception& error) {
    if (started) throw;
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
    if (signals) signals->restore();
    return run_unmeasured(options.command, error.what());
  }
}

int run(const RunCommandOptions& options) {
  const std::string& name = options.command[0];
  std::string why;
  auto plan =
      plan_task(options.monitoring, std::filesystem::path(name).filename().string(), system_clock(), why);
  if (!plan) return complain(why, kUsage);
  if (const CommandFault fault = look_for_command(name); fault.exit_code != 0)
    return complain_of(name, fault);
  if (!plan->task.profile.enabled) return complain_of(name, become_command(options.command));
  if (const std::string fault = fault_of_proc(Roots{}.proc, ::getpid()); !fault.empty())
    return run_unmeasured(options.command, fault);
  return supervise(options, std::move(*plan));
}

}  // namespace

}  // namespace metricsd::tools

int main(int argc, char** argv) {
  using namespace metricsd::tools;
  try {
    auto options = parse_options(argc, argv);
    if (const int* const exit_code = std::get_if<int>(&options)) return *exit_code;
    end_program(run(std::get<RunCommandOptions>(options)));
  } catch (const std::exception& error) {
    return complain(error.what(), kNotRunnable);
  }
}
