// What moved in the network namespaces of the processes that are followed, each namespace once:
// /proc/PID/ns/net says which one a process is in, /proc/PID/net/dev what moved there (namespaces(7),
// proc(5)).
//
// Counted is what moved since the first of our processes was seen in a namespace; all that ever moved where
// the namespace is newer than this object, as that of a container which the command starts. While ours are in
// it its file is held open, which keeps the namespace: what its last process moved is read at the next
// sample, whoever has ended.
#pragma once

#include "device_counters.h"
#include "kernel_files.h"

#include <cstdint>
#include <list>
#include <optional>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace metricsd::tools {

// One thread.
class NetworkNamespaces {
 public:
  // The kernel's number of a namespace: unique while it lasts.
  using Id = std::uint64_t;

  // What the namespace of a process is; the error of readlink(2) where it is closed to us.
  [[nodiscard]] static Result<Id> of(const KernelFiles& proc, pid_t pid);

  // Namespaces that were there before ours came to them: those of these processes, and those that are
  // mounted.
  void note_existing(KernelFiles& proc, const std::vector<pid_t>& pids);
  void note_existing(Id id);

  // Between two finish(): a living process of ours is in it. False where it has left it, or ended, meanwhile.
  bool enter(const KernelFiles& proc, Id id, pid_t pid);
  // Reads all that were entered. False where one of them could not be read as it should.
  bool finish(KernelFiles& proc);

  // Of all together; nothing while none was read.
  [[nodiscard]] std::optional<NetworkBytes> moved() const;
  // Of one, since it began; nothing where it was not read.
  [[nodiscard]] std::optional<NetworkBytes> raw(Id id) const;

 private:
  struct Namespace {
    Id id;
    DeviceCounters counters;
    UniqueFd file;  // while ours are in it
    bool is_entered = true;
    bool was_read = false;
  };

  [[nodiscard]] bool existed(Id id) const;
  void forget_oldest();

  std::list<Namespace> namespaces_;  // in the order in which they were first entered
  std::vector<Id> existing_;         // sorted
  NetworkBytes forgotten_;           // moved in namespaces that are no longer in the list
  bool was_read_ = false;
};

}  // namespace metricsd::tools
