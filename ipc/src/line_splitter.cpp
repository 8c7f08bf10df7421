#include <metricsd/ipc/line_splitter.h>
#include <metricsd/models/recycle.h>

#include <cstring>
#include <utility>

namespace metricsd::ipc {

void LineSplitter::feed(std::string_view bytes) {
  rest_ = bytes;
  const void* last = bytes.empty() ? nullptr : ::memrchr(bytes.data(), '\n', bytes.size());
  whole_size_ =
      last == nullptr ? 0 : static_cast<std::size_t>(static_cast<const char*>(last) - bytes.data()) + 1;
}

LineSplitter::Step LineSplitter::next() {
  if (state_ == State::line_told) end_partial(State::between_lines);
  while (whole_size_ != 0) {
    const std::size_t newline = rest_.find('\n');
    const std::string_view text = rest_.substr(0, newline);
    const bool was_told = state_ == State::skipping;
    const Step step = was_told ? Step::need_more : end_line(text);
    if (was_told) state_ = State::between_lines;
    skip(newline + 1);
    if (step != Step::need_more) return step;
  }
  line_ = {};
  return keep_rest();
}

// The line under way ends with `text`. need_more: it is empty.
LineSplitter::Step LineSplitter::end_line(std::string_view text) {
  line_ = {};
  if (is_too_long(text)) {
    end_partial(State::between_lines);
    return Step::too_long;
  }
  if (state_ == State::between_lines) {
    line_ = text;
  } else {
    line_ = partial_.append(text);
    state_ = State::line_told;
  }
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  if (!line_.empty()) return Step::line;
  if (state_ == State::line_told) end_partial(State::between_lines);
  return Step::need_more;
}

// Of the line begun in partial_ and going on with `more`. A CR at its end may be half of a CR LF and does not
// count.
bool LineSplitter::is_too_long(std::string_view more) const {
  const std::string_view end = more.empty() ? std::string_view(partial_) : more;
  const std::size_t size = partial_.size() + more.size() - (end.ends_with('\r') ? 1 : 0);
  return size > max_line_ && !(is_first_ && size <= first_.max && may_be_longer(more));
}

bool LineSplitter::may_be_longer(std::string_view more) const {
  const std::size_t size = first_.start.size();
  return (partial_.substr(0, size) + std::string(more.substr(0, size))).starts_with(first_.start);
}

LineSplitter::Step LineSplitter::keep_rest() {
  const std::string_view text = std::exchange(rest_, {});
  if (state_ == State::skipping || text.empty()) return Step::need_more;
  if (is_too_long(text)) {
    end_partial(State::skipping);
    return Step::too_long;
  }
  partial_.append(text);
  state_ = State::within_line;
  return Step::need_more;
}

void LineSplitter::end_partial(State next) {
  recycle(partial_);
  state_ = next;
}

}  // namespace metricsd::ipc
