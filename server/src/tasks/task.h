// A task, the roles in it, and of each role the newest samples that were told of it, as they came.
#pragma once

#include <metricsd/ipc/message.h>
#include <metricsd/models/registry.h>
#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::server {

// One thread; always has a sample, save before the first take() or load().
class TaskRole {
 public:
  explicit TaskRole(std::uint64_t number) : number_(number) {}

  void take(const ipc::TaskSampleMessage& sample, const Moment& now);
  // Whether this one came before, or one that its sender took later: as long as no other sender told of it.
  [[nodiscard]] bool has_taken(const ipc::TaskSampleMessage& sample) const;
  // False where it is the only one.
  bool drop_oldest();
  // A copy for another process, under a number that is its own there.
  [[nodiscard]] TaskRole taken_over_as(std::uint64_t number) const;

  // Of all that ever were in one history: none has it again.
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const std::string& node() const { return node_; }
  [[nodiscard]] std::uint64_t pid() const { return pid_; }
  [[nodiscard]] double interval() const { return interval_; }
  [[nodiscard]] const Moment& told() const { return told_; }
  // Empty: not told.
  [[nodiscard]] const std::string& aggregated() const { return aggregated_; }
  [[nodiscard]] const std::string& newest() const { return samples_.back(); }
  // How many samples are history: one that is to have none still has its newest.
  [[nodiscard]] std::size_t kept() const;
  [[nodiscard]] std::size_t samples() const { return samples_.size(); }
  // Newest first.
  [[nodiscard]] std::vector<std::string> page(std::uint64_t offset, std::uint64_t limit) const;
  // It takes up.
  [[nodiscard]] std::size_t bytes() const { return kBytes + bytes_; }

  // Of the last sample that said one; number 0: none did.
  [[nodiscard]] const ipc::TaskSampleOrigin& origin() const { return origin_; }

  [[nodiscard]] bool has_changed() const { return has_changed_; }  // since it was saved
  // Appends what is new since it was saved last, or all.
  void save(StateWriter& out, bool whole);
  // The reader has failed where save() has not written it.
  void load(StateReader& in);

 private:
  static constexpr std::size_t kBytes = 1024;      // its names and its place
  static constexpr std::size_t kSampleBytes = 64;  // beside a sample's text

  void add(std::string_view sample);
  void keep(std::size_t most);
  void set_aggregated(std::string_view text);

  std::uint64_t number_;
  std::string node_;
  std::uint64_t pid_ = 0;
  std::uint64_t history_size_ = 0;
  double interval_ = 0;
  Moment told_;
  std::string aggregated_;
  std::deque<std::string> samples_;  // the last is the newest
  ipc::TaskSampleOrigin origin_;
  std::uint64_t taken_ = 0;  // samples that ever came
  std::uint64_t saved_ = 0;  // of these, when it was saved last
  bool has_changed_ = true;  // since then
  std::size_t bytes_ = 0;    // of its samples and its aggregate
};

using TaskRoles = std::map<std::string, TaskRole, std::less<>>;

struct Task {
  std::uint64_t number = 0;       // as TaskRole's
  std::uint64_t connections = 0;  // that told of it and are open
  std::int64_t left_ns = 0;       // when the last of them went
  TaskRoles roles;                // one at least
  bool has_changed = true;        // since it was saved, its roles aside

  [[nodiscard]] bool is_connected() const { return connections > 0; }
};

// By their ids.
using Tasks = std::map<std::string, Task, std::less<>>;

// Appends what changed since the last save, or all; and says which there are.
void save(StateWriter& out, Tasks& tasks, bool whole);
// Takes over what one save says; the reader has failed where none has written it.
void load(StateReader& in, Tasks& tasks);

}  // namespace metricsd::server
