#include "task_history.h"

#include <metricsd/models/timestamp.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace metricsd::server {
namespace {

// A role that has missed so many of its samples gives its place to another.
constexpr double kSilentIntervals = 3;

bool is_silent(const TaskRole& role, const Moment& now) {
  const double silent_ns = static_cast<double>(now.monotonic_ns - role.told().monotonic_ns);
  return silent_ns > kSilentIntervals * role.interval() * static_cast<double>(kNsPerSecond);
}

bool was_told_before(const TaskRole& one, const TaskRole& other) {
  return one.told().monotonic_ns < other.told().monotonic_ns;
}

TaskRoles::iterator longest_silent(TaskRoles& roles) {
  return std::min_element(roles.begin(), roles.end(), [](const auto& one, const auto& other) {
    return was_told_before(one.second, other.second);
  });
}

std::int64_t silent_since_ns(const Task& task) {
  std::int64_t since_ns = INT64_MIN;
  for (const auto& [name, role] : task.roles) since_ns = std::max(since_ns, role.told().monotonic_ns);
  return since_ns;
}

}  // namespace

Result<TaskHistory::Taken> TaskHistory::take(const ipc::TaskSampleMessage& sample, Told& told,
                                             const Moment& now) {
  const std::scoped_lock lock(mutex_);
  std::uint64_t dropped = 0;
  auto task = tasks_.find(sample.task_id);
  if (task == tasks_.end()) {
    if (const auto room = make_room_for_task(dropped); !room) return room.error();
    task = tasks_.try_emplace(sample.task_id).first;
    task->second.number = ++last_number_;
  }
  TaskRoles& roles = task->second.roles;
  auto role = roles.find(sample.role);
  if (role == roles.end()) {
    if (const auto room = make_room_for_role(task->second, now, dropped); !room) return room.error();
    role = roles.try_emplace(sample.role, ++last_number_).first;
    bytes_ += role->second.bytes();
  }
  note_teller(told, task->second);
  if (role->second.has_taken(sample)) return Taken{};
  has_changed_ = true;
  bytes_ -= role->second.bytes();
  role->second.take(sample, now);
  bytes_ += role->second.bytes();
  make_room(dropped);
  return Taken{.is_new = true, .dropped = dropped};
}

void TaskHistory::note_teller(Told& told, Task& task) {
  if (!told.insert(task.number).second) return;
  ++task.connections;
  task.has_changed = true;
  has_changed_ = true;
  if (told.size() <= bounds_.tasks) return;
  // Some of these have gone.
  Told kept;
  for (const auto& [id, each] : tasks_) {
    if (told.contains(each.number)) kept.insert(each.number);
  }
  told = std::move(kept);
}

void TaskHistory::leave(Told& told, const Moment& now) {
  if (told.empty()) return;
  const std::scoped_lock lock(mutex_);
  for (auto& [id, task] : tasks_) {
    if (!told.contains(task.number)) continue;
    task.left_ns = now.monotonic_ns;
    --task.connections;
    task.has_changed = true;
    has_changed_ = true;
  }
  told.clear();
}

// ---- Room -----------------------------------------------------------------------------------------------

Result<> TaskHistory::make_room_for_task(std::uint64_t& dropped) {
  if (tasks_.size() < bounds_.tasks) return {};
  auto goes = tasks_.end();
  for (auto it = tasks_.begin(); it != tasks_.end(); ++it) {
    if (it->second.is_connected()) continue;
    if (goes == tasks_.end() || silent_since_ns(it->second) < silent_since_ns(goes->second)) goes = it;
  }
  if (goes == tasks_.end()) return Errc::limit_reached;
  TaskRoles& roles = goes->second.roles;
  while (!roles.empty()) dropped += erase(roles, roles.begin());
  tasks_.erase(goes);
  return {};
}

Result<> TaskHistory::make_room_for_role(Task& task, const Moment& now, std::uint64_t& dropped) {
  if (task.roles.size() < bounds_.roles) return {};
  const auto goes = longest_silent(task.roles);
  if (!is_silent(goes->second, now)) return Errc::limit_reached;
  dropped += erase(task.roles, goes);
  return {};
}

// Of tasks that are connected the longest history gives way: who sends the most pays for it.
void TaskHistory::make_room(std::uint64_t& dropped) {
  while (bytes_ > bounds_.bytes) {
    if (erase_longest_silent(false, dropped)) continue;
    if (shorten_longest(dropped)) continue;
    if (!erase_longest_silent(true, dropped)) return;
  }
}

// A role of a task that is connected, or is not; the task with its last role.
bool TaskHistory::erase_longest_silent(bool connected, std::uint64_t& dropped) {
  auto goes = tasks_.end();
  TaskRoles::iterator role;
  for (auto it = tasks_.begin(); it != tasks_.end(); ++it) {
    if (it->second.is_connected() != connected) continue;
    const auto candidate = longest_silent(it->second.roles);
    if (goes != tasks_.end() && !was_told_before(candidate->second, role->second)) continue;
    goes = it;
    role = candidate;
  }
  if (goes == tasks_.end()) return false;
  dropped += erase(goes->second.roles, role);
  if (goes->second.roles.empty()) tasks_.erase(goes);
  return true;
}

// By its oldest sample. False where none has more than one.
bool TaskHistory::shorten_longest(std::uint64_t& dropped) {
  TaskRole* longest = nullptr;
  for (auto& [id, task] : tasks_) {
    for (auto& [name, role] : task.roles) {
      if (role.samples() > 1 && (longest == nullptr || role.bytes() > longest->bytes())) longest = &role;
    }
  }
  if (longest == nullptr) return false;
  bytes_ -= longest->bytes();
  (void)longest->drop_oldest();
  bytes_ += longest->bytes();
  ++dropped;
  return true;
}

std::uint64_t TaskHistory::erase(TaskRoles& roles, TaskRoles::iterator role) {
  const std::uint64_t samples = role->second.kept();
  bytes_ -= role->second.bytes();
  roles.erase(role);
  return samples;
}

// ---- Looking --------------------------------------------------------------------------------------------

std::optional<TaskPage> TaskHistory::page(std::string_view task, std::string_view role, std::uint64_t offset,
                                          std::uint64_t limit) const {
  const std::scoped_lock lock(mutex_);
  const auto of_task = tasks_.find(task);
  if (of_task == tasks_.end()) return std::nullopt;
  const auto found = of_task->second.roles.find(role);
  if (found == of_task->second.roles.end()) return std::nullopt;
  return TaskPage{.total = found->second.kept(),
                  .metrics = found->second.page(offset, limit),
                  .aggregated = found->second.aggregated()};
}

void TaskHistory::look(const std::function<void(const Tasks&)>& look) const {
  const std::scoped_lock lock(mutex_);
  look(tasks_);
}

std::set<std::string, std::less<>> TaskHistory::told_of_since(std::int64_t since_ns) const {
  std::set<std::string, std::less<>> ids;
  const std::scoped_lock lock(mutex_);
  for (const auto& [id, task] : tasks_) {
    if (task.is_connected() || task.left_ns >= since_ns) ids.insert(id);
  }
  return ids;
}

TaskHistory::Size TaskHistory::size() const {
  const std::scoped_lock lock(mutex_);
  return {.tasks = tasks_.size(), .bytes = bytes_};
}

// ---- Saved state ----------------------------------------------------------------------------------------

void TaskHistory::save(StateWriter& out, bool whole) {
  const std::scoped_lock lock(mutex_);
  server::save(out, tasks_, whole);
  has_changed_ = false;
}

bool TaskHistory::has_changed() const {
  const std::scoped_lock lock(mutex_);
  return has_changed_;
}

void TaskHistory::load(StateReader& in) {
  const std::scoped_lock lock(mutex_);
  server::load(in, tasks_);
  count_bytes();
}

void TaskHistory::count_bytes() {
  bytes_ = 0;
  for (const auto& [id, task] : tasks_) {
    for (const auto& [name, role] : task.roles) bytes_ += role.bytes();
  }
}

void TaskHistory::restore(const TaskHistory& left, const Moment& now) {
  const std::scoped_lock lock(mutex_, left.mutex_);
  for (const auto& [id, theirs] : left.tasks_) {
    const auto [task, is_new] = tasks_.try_emplace(id);
    if (!is_new) continue;
    task->second.number = ++last_number_;
    task->second.left_ns = now.monotonic_ns;
    for (const auto& [name, role] : theirs.roles) {
      task->second.roles.emplace(name, role.taken_over_as(++last_number_));
    }
  }
  count_bytes();
  std::uint64_t dropped = 0;
  make_room(dropped);
  has_changed_ = true;
}

}  // namespace metricsd::server
