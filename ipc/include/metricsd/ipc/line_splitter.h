// From a stream of bytes to lines, without I/O: right at every split of the bytes, bounded whatever comes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace metricsd::ipc {

// feed() bytes, then next() until it says need_more; only then may the bytes fed go away. Whole lines within
// one feed are handed out in place; only a line that arrives in parts is copied. Keeps at most `max_line` + 1
// bytes of such a line. One thread.
class LineSplitter {
 public:
  enum class Step {
    line,       // line() is it, without LF or CR LF; empty lines are skipped
    too_long,   // a line of more than max_line bytes; told once, as soon as it is known, and skipped to its
                // end
    need_more,  // everything fed has been handed out
  };

  explicit LineSplitter(std::size_t max_line) : max_line_(max_line) {}

  // For the lines that begin after this one.
  void set_max_line(std::size_t bytes) { max_line_ = bytes; }

  void feed(std::string_view bytes) { rest_ = bytes; }
  Step next();
  // Valid until the next call of next().
  [[nodiscard]] std::string_view line() const { return line_; }
  // At the stream's end: whether it ended within a line that was not told as too long.
  [[nodiscard]] bool has_partial_line() const { return !partial_done_ && !partial_.empty(); }

 private:
  [[nodiscard]] bool is_too_long(std::string_view more) const;
  void complete_line(std::string_view text);
  Step keep_rest();

  std::size_t max_line_;
  std::string_view rest_;  // of what was fed
  std::string_view line_;
  std::string partial_;        // the beginning of a line whose end has not come
  bool partial_done_ = false;  // partial_ was handed out and goes with the next step
  bool skipping_ = false;      // within a line that was told as too long
};

}  // namespace metricsd::ipc
