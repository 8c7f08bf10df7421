// Tells a signal that was sent to this process alone from one that was sent to its whole process group, or to
// its whole control group: of the latter the command has had its own already.
//
// The kernel leaves no mark of it: kill(pid) and kill(-group) arrive alike. But what goes to all goes to a
// process of ours, too, that does nothing but wait for it. It is a sibling of this process and no child, so
// that it is not in the command's tree; it holds nothing of ours but a socket, and ends with us.
#pragma once

#include <metricsd/models/unique_fd.h>

#include <cstdint>
#include <utility>
#include <vector>

#include <sys/signalfd.h>
#include <sys/types.h>

namespace metricsd::tools {

// One thread.
class GroupWitness {
 public:
  GroupWitness() = default;  // one that has seen nothing, and never will
  GroupWitness(GroupWitness&&) noexcept = default;
  GroupWitness& operator=(GroupWitness&&) = delete;
  ~GroupWitness();

  // Before the first other thread, with signals blocked, and before this process becomes a subreaper, which
  // would make the witness its child. Where none can be had, one that sees nothing.
  [[nodiscard]] static GroupWitness start();

  // From now on. What came before the command was there, the command has not had.
  void begin() { ask(); }

  // Whether others had the signal as well, from the same sender. Where it seems not, that takes until
  // kSettle after `read_ns`, when this process had the signal: who signals a control group does so one by
  // one.
  [[nodiscard]] bool has_seen(const signalfd_siginfo& signal, std::int64_t read_ns);
  // The same where nobody asks.
  void forget(std::uint32_t signal);

 private:
  struct Sighting {
    std::uint32_t signal;
    std::uint32_t sender;
  };

  explicit GroupWitness(UniqueFd link) : link_(std::move(link)) {}

  [[noreturn]] static void stand_by(int link);
  void ask();
  bool hear(int timeout_ms);
  bool take(const signalfd_siginfo& signal);

  UniqueFd link_;
  UniqueFd process_;
  pid_t pid_ = 0;
  bool answered_ = false;
  std::vector<Sighting> seen_;
};

}  // namespace metricsd::tools
