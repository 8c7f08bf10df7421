// Saved tasks, all that there are, and of those that changed what is new:
//
//   tasks   = form (1) count task*
//   task    = number 0 roles | number 1 id connections roles
//   roles   = count role*
//   role    = number 0 | number 1 name samples
//   samples = node pid history_size interval wall monotonic aggregated origin taken kept count text*
//   origin  = number 0 | number > 0, sender_id
//
// A number says which task or role of the saves before it is; `taken` how many samples ever came, `kept` how
// many of them there are, `count` how many of these follow. One that is loaded twice is taken once.

#include "../running_clock.h"
#include "task.h"

#include <metricsd/models/json/document.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/text.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include <boost/json/value.hpp>

namespace metricsd::server {
namespace {

constexpr std::uint8_t kForm = 1;
constexpr std::size_t kLeastTask = 3;  // bytes
constexpr std::size_t kLeastRole = 2;

// Names and objects are answered as they stand, so they must be what a sender could have said.
std::string_view load_name(StateReader& in) {
  const std::string_view name = in.text(limits::kTaskText);
  if (!is_clean(name, limits::kTaskText)) in.fail();
  return name;
}

void save_origin(StateWriter& out, const ipc::TaskSampleOrigin& origin) {
  out.u64(origin.number);
  if (origin.number > 0) out.text(origin.sender_id);
}

ipc::TaskSampleOrigin load_origin(StateReader& in) {
  ipc::TaskSampleOrigin origin;
  origin.number = in.u64(limits::kWhole);
  if (origin.number > 0) origin.sender_id = load_name(in);
  return origin;
}

void check_object(StateReader& in, std::string_view text) {
  const auto value = parse_json(text);
  if (!value || !value->is_object()) in.fail();
}

std::uint64_t number_of(const TaskRole& role) {
  return role.number();
}
std::uint64_t number_of(const Task& task) {
  return task.number;
}

// Takes out the entry of this number.
template <class Entries>
typename Entries::node_type extract(Entries& entries, std::uint64_t number) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const auto& entry) { return number_of(entry.second) == number; });
  return found == entries.end() ? typename Entries::node_type() : entries.extract(found);
}

template <class Entries>
typename Entries::node_type made(std::string_view key, typename Entries::mapped_type value) {
  Entries entries;
  entries.emplace(key, std::move(value));
  return entries.extract(entries.begin());
}

void load_role(StateReader& in, TaskRoles& known, TaskRoles& loaded) {
  const std::uint64_t number = in.u64();
  const bool has_changed = in.u8() != 0;
  auto role = extract(known, number);
  if (has_changed) {
    const std::string_view name = load_name(in);
    if (role.empty()) role = made<TaskRoles>(name, TaskRole(number));
    if (role.key() != name) in.fail();
    role.mapped().load(in);
  }
  if (in.failed() || role.empty() || !loaded.insert(std::move(role)).inserted) in.fail();
}

void load_roles(StateReader& in, TaskRoles& roles) {
  TaskRoles loaded;
  const std::size_t count = in.count(limits::kTaskRoles, kLeastRole);
  for (std::size_t i = 0; i < count && !in.failed(); ++i) load_role(in, roles, loaded);
  if (loaded.empty()) in.fail();
  roles = std::move(loaded);
}

void load_task(StateReader& in, Tasks& known, Tasks& loaded) {
  const std::uint64_t number = in.u64();
  const bool has_changed = in.u8() != 0;
  auto task = extract(known, number);
  if (has_changed) {
    const std::string_view id = load_name(in);
    if (task.empty()) task = made<Tasks>(id, Task{.number = number, .roles = {}});
    if (task.key() != id) in.fail();
    task.mapped().connections = in.u64();
  }
  if (in.failed() || task.empty()) return in.fail();
  load_roles(in, task.mapped().roles);
  if (!loaded.insert(std::move(task)).inserted) in.fail();
}

void save_roles(StateWriter& out, TaskRoles& roles, bool whole) {
  out.u64(roles.size());
  for (auto& [name, role] : roles) {
    const bool is_told = whole || role.has_changed();
    out.u64(role.number());
    out.u8(is_told ? 1 : 0);
    if (!is_told) continue;
    out.text(name);
    role.save(out, whole);
  }
}

}  // namespace

void TaskRole::save(StateWriter& out, bool whole) {
  out.text(node_);
  out.u64(pid_);
  out.u64(history_size_);
  out.short_f64(interval_);
  out.i64(told_.wall.ns);
  out.i64(told_.monotonic_ns);
  out.text(aggregated_);
  save_origin(out, origin_);
  out.u64(taken_);
  out.u64(samples_.size());
  const std::size_t fresh =
      whole ? samples_.size() : std::min<std::uint64_t>(taken_ - saved_, samples_.size());
  out.u64(fresh);
  for (std::size_t i = samples_.size() - fresh; i < samples_.size(); ++i) out.text(samples_[i]);
  saved_ = taken_;
  has_changed_ = false;
}

void TaskRole::load(StateReader& in) {
  node_ = load_name(in);
  pid_ = in.u64(limits::kWhole);
  history_size_ = in.u64(limits::kTaskHistory);
  interval_ = in.short_f64();
  told_.wall.ns = in.i64();
  told_.monotonic_ns = load_running_ns(in);
  set_aggregated(in.text(limits::kTaskObject));
  if (!aggregated_.empty()) check_object(in, aggregated_);
  origin_ = load_origin(in);
  const std::uint64_t taken = in.u64();
  const std::size_t kept = in.u64(limits::kTaskHistory);
  const std::size_t fresh = in.count(limits::kTaskHistory, 1);
  const bool is_sound = interval_ >= 0 && interval_ <= limits::kTaskIntervalSeconds && kept > 0 &&
                        fresh <= kept && fresh <= taken && taken >= taken_;
  if (in.failed() || !is_sound) return in.fail();
  if (taken - fresh > taken_) keep(0);  // what came in between has gone already
  for (std::uint64_t number = taken - fresh; number < taken && !in.failed(); ++number) {
    const std::string_view sample = in.text(limits::kTaskObject);
    if (number < taken_) continue;
    check_object(in, sample);
    add(sample);
  }
  taken_ = taken;
  keep(kept);
  if (samples_.size() != kept) in.fail();
}

void save(StateWriter& out, Tasks& tasks, bool whole) {
  out.u8(kForm);
  out.u64(tasks.size());
  for (auto& [id, task] : tasks) {
    const bool is_told = std::exchange(task.has_changed, false) || whole;
    out.u64(task.number);
    out.u8(is_told ? 1 : 0);
    if (is_told) {
      out.text(id);
      out.u64(task.connections);
    }
    save_roles(out, task.roles, whole);
  }
}

void load(StateReader& in, Tasks& tasks) {
  if (in.u8() != kForm) return in.fail();
  Tasks loaded;
  const std::size_t count = in.count(limits::kTasks, kLeastTask);
  for (std::size_t i = 0; i < count && !in.failed(); ++i) load_task(in, tasks, loaded);
  tasks = std::move(loaded);
}

}  // namespace metricsd::server
