#include "line_queue.h"

#include <algorithm>

namespace metricsd::client {

std::uint64_t count_lines(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

std::uint64_t LineQueue::push(std::string_view lines) {
  const std::size_t room = max_bytes_ - std::min(max_bytes_, buffer_.size() - line_start_);
  const std::size_t fitting = lines.size() <= room ? lines.size() : lines.substr(0, room).rfind('\n') + 1;
  reclaim();
  buffer_.reserve(2 * max_bytes_);  // grown by itself it would overshoot the bound
  buffer_.append(lines.substr(0, fitting));
  return count_lines(lines.substr(fitting));
}

std::string_view LineQueue::front() const {
  return std::string_view(buffer_).substr(position_);
}

void LineQueue::consume(std::size_t size) {
  position_ += size;
  const std::string_view written = std::string_view(buffer_).substr(line_start_, position_ - line_start_);
  line_start_ += written.rfind('\n') + 1;  // npos + 1 is 0: no line ended
}

std::uint64_t LineQueue::clear() {
  const std::uint64_t lines = count_lines(std::string_view(buffer_).substr(line_start_));
  buffer_.clear();
  line_start_ = position_ = 0;
  return lines;
}

// Moves what waits to the front once as much is spent as waits: each byte is moved once on average.
void LineQueue::reclaim() {
  if (line_start_ == 0 || line_start_ < buffer_.size() - line_start_) return;
  buffer_.erase(0, line_start_);
  position_ -= line_start_;
  line_start_ = 0;
}

}  // namespace metricsd::client
