// Lines that wait for a socket: whole ones go in, bytes come out, and what a broken connection cut in two
// comes out again from its line's start. When full the newest are refused. Memory: twice `max_bytes`, asked
// for by the first push. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace metricsd::client {

[[nodiscard]] std::uint64_t count_lines(std::string_view text);

class LineQueue {
 public:
  explicit LineQueue(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // Takes as many of `lines` (each with its newline) as there is room for; returns how many it refused.
  [[nodiscard]] std::uint64_t push(std::string_view lines);

  // What to write next: everything that waits. Valid until the next call of another function.
  [[nodiscard]] std::string_view front() const;
  // `size` bytes of front() were written.
  void consume(std::size_t size);
  // Back to the start of the line that was begun.
  void rewind() { position_ = line_start_; }
  // Forgets all that waits; returns how many lines that were.
  std::uint64_t clear();

  [[nodiscard]] bool empty() const { return line_start_ == buffer_.size(); }
  [[nodiscard]] bool at_line_start() const { return position_ == line_start_; }

 private:
  void reclaim();

  std::size_t max_bytes_;
  std::string buffer_;
  std::size_t line_start_ = 0;  // of the first line that is not wholly written
  std::size_t position_ = 0;    // of the first byte not written
};

}  // namespace metricsd::client
