#include <metricsd/ipc/line_splitter.h>
#include <metricsd/models/recycle.h>

#include <utility>

namespace metricsd::ipc {

LineSplitter::Step LineSplitter::next() {
  line_ = {};
  while (true) {
    if (std::exchange(partial_done_, false)) recycle(partial_);
    const std::size_t newline = rest_.find('\n');
    if (newline == std::string_view::npos) return keep_rest();
    const std::string_view text = rest_.substr(0, newline);
    rest_.remove_prefix(newline + 1);

    if (std::exchange(skipping_, false)) continue;
    if (is_too_long(text)) {
      recycle(partial_);
      return Step::too_long;
    }
    complete_line(text);
    if (!line_.empty()) return Step::line;
  }
}

// Of the line begun in partial_ and going on with `more`. A CR at its end may be half of a CR LF and does not
// count.
bool LineSplitter::is_too_long(std::string_view more) const {
  const std::string_view end = more.empty() ? std::string_view(partial_) : more;
  const std::size_t size = partial_.size() + more.size();
  return size > max_line_ + (end.ends_with('\r') ? 1 : 0);
}

void LineSplitter::complete_line(std::string_view text) {
  if (partial_.empty()) {
    line_ = text;
  } else {
    line_ = partial_.append(text);
    partial_done_ = true;
  }
  if (line_.ends_with('\r')) line_.remove_suffix(1);
}

LineSplitter::Step LineSplitter::keep_rest() {
  const std::string_view text = std::exchange(rest_, {});
  if (skipping_) return Step::need_more;
  if (!is_too_long(text)) {
    partial_.append(text);
    return Step::need_more;
  }
  recycle(partial_);
  skipping_ = true;
  return Step::too_long;
}

}  // namespace metricsd::ipc
