// Lives beside the command from its start to its end: passes signals on to it, stops and goes on with it,
// waits for it and for what it leaves behind, and has samples taken when they are due.
//
// Whatever is sent to this process goes on to the command. What the terminal sends, it sends to a whole
// process group: the command has it already where it is in ours. So it is with what a process sends to the
// whole group, but the kernel does not tell that from what is for us alone: the command has that twice, which
// is better than not at all. What a process of the command sends to its own group (`kill 0`) stays there.
#pragma once

#include "monitor.h"
#include "signal_source.h"
#include "terminal.h"
#include "tree_sampler.h"

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

namespace metricsd::tools {

// One thread.
class Supervisor {
 public:
  struct Options {
    pid_t command = 0;
    bool wait_for_all = false;  // until what the command left behind has ended, too
    // What a child of ours has in memory before it executes anything: the kernel's peak of a process that
    // never needed more says nothing.
    std::uint64_t own_peak_bytes = 0;
  };

  // This process is the subreaper of the command's.
  Supervisor(const Options& options, const SignalSource& signals, Terminal& terminal, TreeSampler& sampler);

  // Until the end. A signal ends the waiting for what was left behind.
  void run(Monitor& monitor);

  // As a shell has it: 128 + n for signal n.
  [[nodiscard]] int exit_code() const;
  [[nodiscard]] bool was_interrupted() const;
  // "exit 0", "ended by SIGTERM"
  [[nodiscard]] std::string ending() const;
  // The most that one process had in memory, where the kernel says so.
  [[nodiscard]] std::optional<std::uint64_t> peak_memory_bytes() const { return peak_memory_bytes_; }

 private:
  [[nodiscard]] bool is_done() const;
  void handle(const signalfd_siginfo& signal);
  void reap();
  void note_usage(pid_t pid, const rusage& usage);
  void stop_with_command(int signal);
  void forward(const signalfd_siginfo& signal);
  void forward_from_kernel(int signal);

  const Options options_;
  const SignalSource& signals_;
  Terminal& terminal_;
  TreeSampler& sampler_;
  std::optional<int> status_;  // of the command, once it has ended
  bool children_left_ = true;
  bool told_to_leave_ = false;
  std::optional<std::uint64_t> peak_memory_bytes_;
};

}  // namespace metricsd::tools
