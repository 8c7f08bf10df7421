#include "batch_queue.h"

#include <algorithm>

namespace metricsd::client {
namespace {

constexpr std::size_t kSmallest = std::size_t{64} << 10;

const ipc::StreamProgress* find(const std::vector<ipc::StreamProgress>& progress, std::uint32_t stream) {
  const auto found = std::find_if(progress.begin(), progress.end(),
                                  [stream](const auto& each) { return each.stream == stream; });
  return found == progress.end() ? nullptr : &*found;
}

}  // namespace

// With what the entries cost, so that many small ones are bounded too.
bool BatchQueue::has_room(std::size_t bytes) const {
  const std::size_t held = lines_.size() - start_ + batches_.size() * sizeof(Batch);
  return held + bytes + sizeof(Batch) <= max_bytes_;
}

bool BatchQueue::push(Batch batch, std::string_view line) {
  if (!has_room(line.size())) return false;
  reclaim();
  make_room(line.size());
  batch.bytes = line.size();
  batches_.push_back(batch);
  lines_.append(line);
  return true;
}

std::string_view BatchQueue::unsent() const {
  return std::string_view(lines_).substr(start_ + sent_bytes_ + sent_of_line_);
}

std::string_view BatchQueue::begun_line() const {
  return all_sent() ? std::string_view() : unsent().substr(0, batches_[sent_].bytes - sent_of_line_);
}

void BatchQueue::consume(std::size_t size) {
  sent_of_line_ += size;
  while (sent_ < batches_.size() && sent_of_line_ >= batches_[sent_].bytes) {
    sent_of_line_ -= batches_[sent_].bytes;
    sent_bytes_ += batches_[sent_].bytes;
    ++sent_;
  }
}

void BatchQueue::release(const std::vector<ipc::StreamProgress>& progress) {
  // Only what was written can have been acknowledged, whatever a daemon says.
  while (sent_ > 0) {
    const ipc::StreamProgress* stream = find(progress, batches_.front().stream);
    if (stream == nullptr || stream->durable < batches_.front().last_seq) return;
    pop_front();
  }
}

void BatchQueue::begin_connection(const std::vector<ipc::StreamProgress>& progress) {
  sent_ = sent_bytes_ = sent_of_line_ = 0;
  for (const Batch& batch : batches_) {
    const ipc::StreamProgress* stream = find(progress, batch.stream);
    if (stream == nullptr || stream->folded < batch.last_seq) break;
    ++sent_;
    sent_bytes_ += batch.bytes;
  }
  release(progress);
}

std::string_view BatchQueue::front_line() const {
  return batches_.empty() ? std::string_view()
                          : std::string_view(lines_).substr(start_, batches_.front().bytes);
}

void BatchQueue::pop_front() {
  const std::size_t bytes = batches_.front().bytes;
  batches_.pop_front();
  start_ += bytes;
  if (sent_ > 0) {
    --sent_;
    sent_bytes_ -= bytes;
  } else {
    sent_of_line_ = 0;
  }
  if (batches_.empty()) {
    lines_.clear();
    start_ = 0;
  }
}

std::uint64_t BatchQueue::clear() {
  std::uint64_t operations = 0;
  for (const Batch& batch : batches_) operations += batch.operations;
  batches_.clear();
  lines_.clear();
  start_ = sent_ = sent_bytes_ = sent_of_line_ = 0;
  return operations;
}

std::optional<std::uint64_t> BatchQueue::first_seq_of(std::uint32_t stream) const {
  const auto found =
      std::find_if(batches_.begin(), batches_.end(), [stream](const Batch& b) { return b.stream == stream; });
  return found == batches_.end() ? std::nullopt : std::optional(found->first_seq);
}

// Moves what waits to the front once as much is spent as waits: each byte is moved once on average.
void BatchQueue::reclaim() {
  if (start_ == 0 || start_ < lines_.size() - start_) return;
  lines_.erase(0, start_);
  start_ = 0;
}

// Grows by doubling, in steps of which the last is the bound: grown by itself the text would overshoot it.
void BatchQueue::make_room(std::size_t bytes) {
  const std::size_t needed = std::max(lines_.size() + bytes, kSmallest);
  if (needed <= lines_.capacity()) return;
  std::size_t capacity = 2 * max_bytes_;
  while (capacity / 2 >= needed) capacity /= 2;
  lines_.reserve(capacity);
}

}  // namespace metricsd::client
