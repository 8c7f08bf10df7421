#include "outbox.h"

#include <metricsd/ipc/encoder.h>
#include <metricsd/models/limits.h>

#include <algorithm>
#include <new>

namespace metricsd::client {
namespace {

constexpr std::size_t kSmallestQueue = limits::kPlainLine;       // any line fits
constexpr std::size_t kLargestQueue = std::size_t{1} << 30;      // of the segment's four
constexpr std::size_t kSamplesRoom = std::size_t{256} << 10;     // more than any message of samples takes
constexpr std::size_t kDefinitionBytes = std::size_t{64} << 10;  // of a block

}  // namespace

Outbox::Outbox(Segment& segment, std::size_t queue_bytes)
    : segment_(segment), queue_(segment, std::clamp(queue_bytes, kSmallestQueue, kLargestQueue)) {}

void Outbox::begin_batch(std::uint32_t stream) {
  operations_ = 0;
  stream_ = stream;
  if (stream >= last_.size()) last_.resize(stream + std::size_t{1});
  encoder_.begin(stream, last_[stream] + 1);
}

void Outbox::add(const OperationView& operation) {
  const std::uint32_t shared = encoder_.shared({.operation_type = operation.operation_type,
                                                .workload_type = operation.workload_type,
                                                .driver = operation.driver,
                                                .success = operation.success,
                                                .error_code = operation.error_code});
  encoder_.add(shared, operation.duration_ns, operation.object_size_bytes, operation.retry_count);
  ++operations_;
}

void Outbox::add_nothing() {
  encoder_.add_nothing();
}

// Half of what a block takes: the rest is more than one row with its entry of the dictionary adds.
bool Outbox::is_full() const {
  return encoder_.is_full() || encoder_.bytes() >= queue_.longest_line() / 2;
}

// What there is no memory for finds no room.
template <class Encode>
bool Outbox::queue_line(const BatchQueue::Batch& batch, const Encode& encode) noexcept {
  try {
    line_.clear();
    encode(line_);
    return queue_.push(batch, line_);
  } catch (const std::bad_alloc&) {
    return false;
  }
}

Outbox::Outcome Outbox::end_batch() noexcept {
  const std::uint64_t count = encoder_.count();
  if (count == 0) return {};
  const BatchQueue::Batch batch{.stream = stream_,
                                .first_seq = last_[stream_] + 1,
                                .last_seq = last_[stream_] + count,
                                .operations = operations_};
  if (!queue_line(batch, [this](std::string& line) { encoder_.finish(line); })) {
    return {.queued = 0, .refused = operations_};
  }
  last_[stream_] = batch.last_seq;
  return {.queued = count, .refused = 0};
}

Outbox::Outcome Outbox::abandon_batch() noexcept {
  encoder_.forget();
  return {.queued = 0, .refused = operations_};
}

void Outbox::define(const std::vector<ipc::DefineMessage>& families) {
  for (const ipc::DefineMessage& family : families) {
    const std::size_t before = definitions_.size();
    ipc::encode(definitions_, family);
    keep_definitions(std::string_view(definitions_).substr(before));
  }
}

// Without memory for it the samples are only the daemon's that was told by this process.
void Outbox::keep_definitions(std::string_view line) noexcept {
  const auto block = [this] {
    return reinterpret_cast<ipc::DefinitionsBlock*>(definition_blocks_.back().address());
  };
  try {
    const bool has_room =
        !definition_blocks_.empty() &&
        sizeof(ipc::DefinitionsBlock) + block()->used.load(std::memory_order_relaxed) + line.size() <=
            kDefinitionBytes;
    if (!has_room) {
      definition_blocks_.reserve(definition_blocks_.size() + 1);
      definition_blocks_.push_back(segment_.add<ipc::DefinitionsBlock>(
          ipc::BlockKind::definitions, static_cast<std::uint32_t>(definition_blocks_.size()),
          kDefinitionBytes));
    }
  } catch (const std::bad_alloc&) {
    return;
  }
  const std::uint64_t used = block()->used.load(std::memory_order_relaxed);
  std::byte* const out = definition_blocks_.back().address() + sizeof(ipc::DefinitionsBlock) + used;
  line.copy(reinterpret_cast<char*>(out), line.size());
  block()->used.store(used + line.size(), std::memory_order_release);
}

bool Outbox::has_room() const {
  return queue_.empty() || queue_.has_room(std::min(kSamplesRoom, queue_.longest_line()));
}

void Outbox::push(ipc::SamplesMessage& message) {
  if (last_.size() <= limits::kMetricsStream) last_.resize(limits::kMetricsStream + std::size_t{1});
  std::uint64_t& last = last_[limits::kMetricsStream];
  message.position = ipc::StreamPosition{limits::kMetricsStream, last + 1};
  const BatchQueue::Batch batch{.stream = limits::kMetricsStream,
                                .first_seq = last + 1,
                                .last_seq = last + message.samples.size(),
                                .operations = 0};
  if (queue_line(batch, [&message](std::string& line) { ipc::encode(line, message); })) {
    last = batch.last_seq;
  } else {
    refused_samples_ += message.samples.size();
  }
}

std::vector<ipc::StreamPosition> Outbox::positions() const {
  std::vector<std::uint64_t> firsts(last_.size(), 0);
  queue_.first_seqs(firsts);
  std::vector<ipc::StreamPosition> positions;
  for (std::uint32_t stream = 0; stream < last_.size(); ++stream) {
    if (last_[stream] == 0) continue;
    positions.push_back({stream, firsts[stream] != 0 ? firsts[stream] : last_[stream] + 1});
  }
  return positions;
}

}  // namespace metricsd::client
