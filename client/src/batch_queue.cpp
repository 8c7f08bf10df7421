#include "batch_queue.h"

#include <metricsd/models/limits.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace metricsd::client {
namespace {

// Some eight blocks are the queue: little of it is lost where an entry does not fit at the end of one. None
// is so small that a batch would be, or so large that one costs more than it holds.
constexpr std::size_t kSmallestBlock = std::size_t{64} << 10;
constexpr std::size_t kLargestBlock = std::size_t{1} << 20;
constexpr std::size_t kBlocks = 8;
constexpr std::size_t kPadding = 8;
constexpr std::size_t kNone = SIZE_MAX;

constexpr std::size_t padded(std::size_t bytes) {
  return (bytes + kPadding - 1) / kPadding * kPadding;
}

constexpr std::size_t kFirstEntry = padded(sizeof(ipc::QueueBlock));

// How far each stream is, to be found by its number.
class ProgressByStream {
 public:
  explicit ProgressByStream(const std::vector<ipc::StreamProgress>& progress) {
    for (const ipc::StreamProgress& each : progress) {
      if (each.stream >= by_stream_.size()) by_stream_.resize(each.stream + std::size_t{1});
      by_stream_[each.stream] = &each;
    }
  }
  [[nodiscard]] const ipc::StreamProgress* find(std::uint32_t stream) const {
    return stream < by_stream_.size() ? by_stream_[stream] : nullptr;
  }

 private:
  std::vector<const ipc::StreamProgress*> by_stream_;
};

}  // namespace

BatchQueue::BatchQueue(Segment& segment, std::size_t max_bytes)
    : segment_(segment),
      max_bytes_(max_bytes),
      block_bytes_(std::clamp(std::bit_floor(max_bytes / kBlocks), kSmallestBlock, kLargestBlock)),
      most_blocks_((max_bytes_ + block_bytes_ - 1) / block_bytes_ + 1) {}

BatchQueue::Sum BatchQueue::sum_of(const Batch& batch) {
  const bool is_samples = batch.stream == limits::kMetricsStream;
  return {.operations = batch.operations, .samples = is_samples ? batch.last_seq - batch.first_seq + 1 : 0};
}

std::size_t BatchQueue::entry_bytes(std::size_t line_bytes) {
  return padded(sizeof(ipc::QueueEntry) + line_bytes);
}

std::size_t BatchQueue::longest_line() const {
  return block_bytes_ - kFirstEntry - sizeof(ipc::QueueEntry) - kPadding;
}

bool BatchQueue::has_room(std::size_t bytes) const {
  const std::size_t entry = entry_bytes(bytes);
  const std::size_t held = held_bytes_ + items_.size() * sizeof(Item);
  if (bytes > longest_line() || held + entry + sizeof(Item) > max_bytes_) return false;
  return current_has_room(entry) || find_free() != kNone || blocks_.size() < most_blocks_;
}

bool BatchQueue::current_has_room(std::size_t entry) const {
  return !blocks_.empty() &&
         blocks_[current_].header().end.load(std::memory_order_relaxed) + entry <= block_bytes_;
}

std::size_t BatchQueue::find_free() const {
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    if (blocks_[i].entries == 0 && i != current_) return i;
  }
  return kNone;
}

bool BatchQueue::push(const Batch& batch, std::string_view line) {
  const std::size_t size = entry_bytes(line.size());
  if (!has_room(line.size())) return false;
  make_room(size);
  Block& block = blocks_[current_];
  ipc::QueueBlock& header = block.header();
  const std::uint64_t at = header.end.load(std::memory_order_relaxed);
  std::byte* const out = block.mapping.address() + at;
  auto* const text = reinterpret_cast<char*>(out) + sizeof(ipc::QueueEntry);
  items_.push_back({.batch = batch, .line = {text, line.size()}, .block = current_});  // may throw
  const ipc::QueueEntry entry{.size = static_cast<std::uint32_t>(size),
                              .line_bytes = static_cast<std::uint32_t>(line.size()),
                              .stream = batch.stream,
                              .reserved = 0,
                              .first_seq = batch.first_seq,
                              .last_seq = batch.last_seq,
                              .operations = batch.operations};
  std::memcpy(out, &entry, sizeof entry);
  line.copy(text, line.size());
  header.end.store(at + size, std::memory_order_release);
  ++block.entries;
  held_bytes_ += size;
  unsent_bytes_ += line.size();
  return true;
}

void BatchQueue::make_room(std::size_t entry) {
  if (current_has_room(entry)) return;
  std::size_t next = find_free();
  if (next == kNone) {
    blocks_.reserve(blocks_.size() + 1);
    blocks_.push_back({segment_.add<ipc::QueueBlock>(
        ipc::BlockKind::queue, static_cast<std::uint32_t>(blocks_.size()), block_bytes_)});
    next = blocks_.size() - 1;
  }
  open(next);
  current_ = next;
}

// Its order comes last: a reader that finds one finds the block empty. Each store after the one before it.
void BatchQueue::open(std::size_t block) {
  ipc::QueueBlock& header = blocks_[block].header();
  header.order.store(0, std::memory_order_release);
  header.begin.store(kFirstEntry, std::memory_order_release);
  header.end.store(kFirstEntry, std::memory_order_release);
  header.order.store(++orders_, std::memory_order_release);
}

std::span<const iovec> BatchQueue::unsent(std::span<iovec> parts) const {
  std::size_t used = 0;
  for (std::size_t i = sent_; i < items_.size() && used < parts.size(); ++i, ++used) {
    const std::string_view rest = items_[i].line.substr(i == sent_ ? sent_of_line_ : 0);
    parts[used] = {const_cast<char*>(rest.data()), rest.size()};
  }
  return parts.first(used);
}

std::string_view BatchQueue::begun_line() const {
  return all_sent() ? std::string_view() : items_[sent_].line.substr(sent_of_line_);
}

void BatchQueue::consume(std::size_t size) {
  unsent_bytes_ -= size;
  sent_of_line_ += size;
  while (sent_ < items_.size() && sent_of_line_ >= items_[sent_].line.size()) {
    sent_of_line_ -= items_[sent_].line.size();
    ++sent_;
  }
  ever_sent_ = std::max(ever_sent_, sent_);
}

bool BatchQueue::release(const std::vector<ipc::StreamProgress>& progress) {
  const ProgressByStream streams(progress);
  bool any = false;
  // Only what was written can have been acknowledged, whatever a daemon says.
  while (sent_ > 0) {
    const ipc::StreamProgress* stream = streams.find(items_.front().batch.stream);
    if (stream == nullptr || stream->durable < items_.front().batch.last_seq) return any;
    pop_front();
    any = true;
  }
  return any;
}

bool BatchQueue::begin_connection(const std::vector<ipc::StreamProgress>& progress) {
  const ProgressByStream streams(progress);
  sent_ = sent_of_line_ = unsent_bytes_ = 0;
  bool folded = true;
  for (const Item& item : items_) {
    const ipc::StreamProgress* stream = streams.find(item.batch.stream);
    folded = folded && stream != nullptr && stream->folded >= item.batch.last_seq;
    if (folded) {
      ++sent_;
    } else {
      unsent_bytes_ += item.line.size();
    }
  }
  return release(progress);
}

std::string_view BatchQueue::front_line() const {
  return items_.empty() ? std::string_view() : items_.front().line;
}

void BatchQueue::pop_front() {
  const Item& item = items_.front();
  if (sent_ > 0) {
    --sent_;
  } else {
    unsent_bytes_ -= item.line.size() - sent_of_line_;
    sent_of_line_ = 0;
  }
  if (ever_sent_ > 0) --ever_sent_;
  Block& block = blocks_[item.block];
  ipc::QueueBlock& header = block.header();
  const std::size_t size = entry_bytes(item.line.size());
  held_bytes_ -= size;
  if (--block.entries > 0) {
    header.begin.store(header.begin.load(std::memory_order_relaxed) + size, std::memory_order_release);
  } else if (item.block == current_) {
    open(current_);
  } else {
    header.order.store(0, std::memory_order_release);
  }
  items_.pop_front();
}

BatchQueue::Sum BatchQueue::forget_sent() {
  Sum gone;
  for (std::size_t left = ever_sent_; left > 0; --left) {
    const Sum first = front();
    gone.operations += first.operations;
    gone.samples += first.samples;
    pop_front();
  }
  return gone;
}

BatchQueue::Sum BatchQueue::clear() {
  ever_sent_ = items_.size();
  return forget_sent();
}

BatchQueue::Sum BatchQueue::sum() const {
  Sum sum;
  for (const Item& item : items_) {
    const Sum each = sum_of(item.batch);
    sum.operations += each.operations;
    sum.samples += each.samples;
  }
  return sum;
}

void BatchQueue::first_seqs(std::span<std::uint64_t> by_stream) const {
  for (auto item = items_.rbegin(); item != items_.rend(); ++item) {
    if (item->batch.stream < by_stream.size()) by_stream[item->batch.stream] = item->batch.first_seq;
  }
}

}  // namespace metricsd::client
