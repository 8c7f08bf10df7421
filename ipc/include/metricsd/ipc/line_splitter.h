// From a stream of bytes to lines, without I/O: right at every split of the bytes, bounded whatever comes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace metricsd::ipc {

// A stream's first line may have `max` bytes if it begins with `start`, which outlives the splitter.
struct LongFirstLine {
  std::size_t max = 0;
  std::string_view start{};
};

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

  explicit LineSplitter(std::size_t max_line, LongFirstLine first = {})
      : max_line_(max_line), first_(first) {}

  // For the lines that begin after this one.
  void set_max_line(std::size_t bytes) { max_line_ = bytes; }

  void feed(std::string_view bytes);
  Step next();
  // What next() would hand out in place, for who finds the end of a line by reading it: whole lines with
  // their newlines. Empty while a line is under way that came in parts.
  [[nodiscard]] std::string_view whole_lines() const {
    return state_ == State::between_lines ? rest_.substr(0, whole_size_) : std::string_view();
  }
  // Takes the first of whole_lines(), `size` bytes with its newline, as handed out. False: it may be too
  // long, and is still next()'s.
  [[nodiscard]] bool take_line(std::size_t size) {
    if (size > max_line_) return false;
    skip(size);
    return true;
  }
  // Valid until the next call of next().
  [[nodiscard]] std::string_view line() const { return line_; }
  // What was fed and lies behind line(): for another splitter to go on with. Ends this feed.
  [[nodiscard]] std::string_view take_rest() { return std::exchange(rest_, {}); }
  // Memory that the line under way takes up.
  [[nodiscard]] std::size_t held_bytes() const {
    return state_ == State::within_line ? partial_.capacity() : 0;
  }
  // At the stream's end: whether it ended within a line that was not told as too long.
  [[nodiscard]] bool has_partial_line() const { return state_ == State::within_line; }

 private:
  enum class State {
    between_lines,
    within_line,  // partial_ is how it begins
    line_told,    // partial_ was handed out and goes with the next step
    skipping,     // within a line that was told as too long
  };

  void skip(std::size_t size) {
    rest_.remove_prefix(size);
    whole_size_ -= size;
    is_first_ = false;
  }
  Step end_line(std::string_view text);
  Step keep_rest();
  [[nodiscard]] bool is_too_long(std::string_view more) const;
  [[nodiscard]] bool may_be_longer(std::string_view more) const;
  void end_partial(State next);

  std::size_t max_line_;
  LongFirstLine first_;
  bool is_first_ = true;        // no line has ended yet
  std::string_view rest_;       // of what was fed
  std::size_t whole_size_ = 0;  // of it: with the last newline
  std::string_view line_;
  std::string partial_;
  State state_ = State::between_lines;
};

}  // namespace metricsd::ipc
