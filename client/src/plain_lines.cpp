#include "plain_lines.h"

#include "batch_lines.h"

namespace metricsd::client {
namespace {

constexpr std::size_t kBytes = std::size_t{4} << 20;  // the lines of one batch, all of the longest

}  // namespace

PlainLines::PlainLines() : lines_(kBytes) {}

BatchQueue::Sum PlainLines::refill(BatchQueue& queue) {
  BatchQueue::Sum lost;
  while (lines_.empty() && !queue.empty()) {
    text_.clear();
    append_batch_as_lines(text_, queue.front_line());
    samples_ = queue.front().samples;
    const BatchQueue::Sum refused = sum_of(lines_.push(text_));
    lost.operations += refused.operations;
    lost.samples += refused.samples;
    queue.pop_front();
  }
  return lost;
}

std::string_view PlainLines::begun_line() const {
  return at_line_start() ? std::string_view() : front().substr(0, front().find('\n') + 1);
}

BatchQueue::Sum PlainLines::sum_of(std::uint64_t lines) const {
  if (samples_ == 0) return {.operations = lines, .samples = 0};
  return {.operations = 0, .samples = lines * samples_};
}

}  // namespace metricsd::client
