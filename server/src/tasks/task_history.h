// What monitors of processes told of tasks: of each task, and of each role in it, the newest samples.
//
// One for all shards (ADR 12), so that its bounds are the daemon's: limits::kTasks tasks of kTaskRoles roles,
// kTaskBytes in all. Tasks that nobody tells of any more make room for those who come, the longest silent
// first.
#pragma once

#include "task.h"

#include <metricsd/ipc/message.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/registry.h>
#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::server {

// Samples of one role, newest first.
struct TaskPage {
  std::uint64_t total = 0;
  std::vector<std::string> metrics;
  std::string aggregated;  // empty: not told
};

// Any thread.
class TaskHistory {
 public:
  struct Bounds {
    std::size_t tasks = limits::kTasks;
    std::size_t roles = limits::kTaskRoles;
    std::size_t bytes = limits::kTaskBytes;
  };
  struct Size {
    std::size_t tasks = 0;
    std::size_t bytes = 0;
  };
  // The numbers of the tasks that one connection told of: kept with the connection.
  using Told = std::set<std::uint64_t>;

  TaskHistory() = default;
  explicit TaskHistory(const Bounds& bounds) : bounds_(bounds) {}

  // What became of a sample. One that is told again is none more, but its connection tells of the task.
  struct Taken {
    bool is_new = false;
    std::uint64_t dropped = 0;  // samples, for want of room
  };
  // Errc::limit_reached for a new task where all there are have a connection, and for a new role where none
  // of the task's has been silent for three of its intervals.
  [[nodiscard]] Result<Taken> take(const ipc::TaskSampleMessage& sample, Told& told, const Moment& now);
  // The connection that told of these is gone.
  void leave(Told& told, const Moment& now);

  // Nothing where there is no such task, or no such role of it.
  [[nodiscard]] std::optional<TaskPage> page(std::string_view task, std::string_view role,
                                             std::uint64_t offset, std::uint64_t limit) const;
  // Calls `look` with all there is. Who tells waits meanwhile.
  void look(const std::function<void(const Tasks&)>& look) const;
  // The tasks of which a connection tells, or one did at this time or later.
  [[nodiscard]] std::set<std::string, std::less<>> told_of_since(std::int64_t since_ns) const;
  [[nodiscard]] Size size() const;

  // As task.h's; every save must be loaded, in order, by who keeps up with them, or the next is to be whole.
  void save(StateWriter& out, bool whole);
  // Since it was saved last.
  [[nodiscard]] bool has_changed() const;
  void load(StateReader& in);
  // Takes over what another process left behind: nobody is connected.
  void restore(const TaskHistory& left, const Moment& now);

 private:
  [[nodiscard]] Result<> make_room_for_task(std::uint64_t& dropped);
  [[nodiscard]] Result<> make_room_for_role(Task& task, const Moment& now, std::uint64_t& dropped);
  void make_room(std::uint64_t& dropped);
  [[nodiscard]] bool erase_longest_silent(bool connected, std::uint64_t& dropped);
  [[nodiscard]] bool shorten_longest(std::uint64_t& dropped);
  [[nodiscard]] std::uint64_t erase(TaskRoles& roles, TaskRoles::iterator role);
  void note_teller(Told& told, Task& task);
  void count_bytes();

  const Bounds bounds_{};
  mutable std::mutex mutex_;
  Tasks tasks_;
  std::size_t bytes_ = 0;          // of all roles
  std::uint64_t last_number_ = 0;  // of a task or role
  bool has_changed_ = false;
};

}  // namespace metricsd::server
