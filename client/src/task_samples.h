// Samples of tasks on their way to the daemon: delivered at most once, and the newest before the oldest where
// there is no room for all.
#pragma once

#include <metricsd/client/task_sample.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

namespace metricsd::client {

// Any thread; no call waits longer than it takes another one to copy a line.
class TaskSamples {
 public:
  static constexpr std::size_t kBytes = std::size_t{256} << 10;  // some 500 usual ones

  // What is no sample, or finds no memory, is counted and dropped.
  void push(const TaskSample& sample) noexcept;
  // Appends lines, the oldest first, until there are `about` so many bytes of them.
  void take(std::string& lines, std::size_t about);
  [[nodiscard]] bool empty() const;
  // There will be none to take them any more.
  void drop_all();

  struct Lost {
    std::uint64_t refused = 0;  // that break a rule of TaskSample
    std::uint64_t untaken = 0;  // that no daemon took in time
  };
  [[nodiscard]] Lost lost() const;

 private:
  void push_line(std::string line);

  mutable std::mutex mutex_;
  std::deque<std::string> lines_;
  std::size_t bytes_ = 0;
  Lost lost_;
};

}  // namespace metricsd::client
