// The newest samples of tasks, for the daemon: those that it was told of are kept, and a new connection is
// told of them again, since a daemon that was killed may not have kept them. Each says its number, so that it
// is taken once. Where there is no room for all the oldest go.
#pragma once

#include <metricsd/client/task_sample.h>
#include <metricsd/ipc/message.h>

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

  TaskSamples();

  // What is no sample, or finds no memory, is counted and dropped.
  void push(const TaskSample& sample) noexcept;
  // Appends those that this connection was not told of, the oldest first, until there are `about` so many
  // bytes.
  void take(std::string& lines, std::size_t about);
  // What was taken so far is written.
  void note_written();
  // A new connection was told of none.
  void begin_connection();
  // Whether this connection was told of all.
  [[nodiscard]] bool all_taken() const;
  // There will be none to take them any more.
  void drop_all();

  struct Lost {
    std::uint64_t refused = 0;  // that break a rule of TaskSample
    std::uint64_t untaken = 0;  // that were never written to a daemon
  };
  [[nodiscard]] Lost lost() const;

 private:
  void push_message(ipc::TaskSampleMessage message);
  void drop_oldest();

  const std::string sender_id_;
  mutable std::mutex mutex_;
  std::uint64_t last_number_ = 0;
  std::deque<std::string> lines_;
  std::size_t bytes_ = 0;
  std::size_t taken_ = 0;    // of lines_, the oldest: on this connection
  std::size_t written_ = 0;  // likewise, on any
  Lost lost_;
};

}  // namespace metricsd::client
