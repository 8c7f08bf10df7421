// What goes to a daemon that takes no batches: the queue's batches as plain lines, one batch at a time,
// delivered at most once. A line that a broken connection cut in two is sent again whole.
#pragma once

#include "batch_queue.h"
#include "line_queue.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace metricsd::client {

// One thread. Memory: 8 MiB, once it is used.
class PlainLines {
 public:
  PlainLines();

  // Takes the queue's first batch where nothing is left of the one before. Returns what found no room.
  [[nodiscard]] BatchQueue::Sum refill(BatchQueue& queue);
  // As LineQueue has them.
  [[nodiscard]] std::string_view front() const { return lines_.front(); }
  [[nodiscard]] std::string_view begun_line() const;
  void consume(std::size_t size) { lines_.consume(size); }
  void rewind() { lines_.rewind(); }
  [[nodiscard]] bool empty() const { return lines_.empty(); }
  [[nodiscard]] bool at_line_start() const { return lines_.at_line_start(); }
  // Forgets all; returns what that was.
  BatchQueue::Sum clear() { return sum_of(lines_.clear()); }

 private:
  [[nodiscard]] BatchQueue::Sum sum_of(std::uint64_t lines) const;

  LineQueue lines_;
  std::uint64_t samples_ = 0;  // rows of the one line, where it is of samples
  std::string text_;           // reused
};

}  // namespace metricsd::client
