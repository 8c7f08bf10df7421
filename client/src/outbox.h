// What a process owes its daemon: operations as batches, and samples of its metrics, numbered in their
// streams and queued until they are acknowledged (batch_queue.h). Knows nothing of connections.
//
// The numbers count what the queue took, so what it refuses leaves no hole; who calls counts it.
#pragma once

#include "batch_queue.h"
#include "segment.h"

#include <metricsd/ipc/batch.h>
#include <metricsd/ipc/message.h>
#include <metricsd/models/operation.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd::client {

// One thread.
class Outbox {
 public:
  // `queue_bytes` is held to what a queue can have.
  Outbox(Segment& segment, std::size_t queue_bytes);

  // Consecutive operations of one stream: begin_batch(), then add() or add_nothing() for each, end_batch().
  // The two may throw std::bad_alloc: then abandon_batch().
  void begin_batch(std::uint32_t stream);
  void add(const OperationView& operation);
  // For a record that is no operation, counted by who calls.
  void add_nothing();
  // The batch must end before another record.
  [[nodiscard]] bool is_full() const;

  struct Outcome {
    std::uint64_t queued = 0;   // records that have a number now: all, or none
    std::uint64_t refused = 0;  // operations that found no room, or no memory
  };
  Outcome end_batch() noexcept;
  // The same where one of the others threw: all of it is refused, and may lack half of what threw.
  Outcome abandon_batch() noexcept;

  // Families of metrics, once each. Throws std::bad_alloc.
  void define(const std::vector<ipc::DefineMessage>& families);
  // Their lines: a connection is told of them before any sample.
  [[nodiscard]] std::string_view definitions() const { return definitions_; }
  // Whether push() would find room for a message of samples.
  [[nodiscard]] bool has_room() const;
  // Queues samples of families that are defined, and gives them their place in the stream of metrics.
  void push(ipc::SamplesMessage& message);
  // Rows that were pushed and found no room, or no memory.
  [[nodiscard]] std::uint64_t refused_samples() const { return refused_samples_; }

  // Of each stream that was ever used, what can still be sent: a daemon that knows nothing of it takes it
  // from there on.
  [[nodiscard]] std::vector<ipc::StreamPosition> positions() const;
  [[nodiscard]] BatchQueue& queue() { return queue_; }
  [[nodiscard]] const BatchQueue& queue() const { return queue_; }

 private:
  template <class Encode>
  [[nodiscard]] bool queue_line(const BatchQueue::Batch& batch, const Encode& encode) noexcept;
  void keep_definitions(std::string_view lines) noexcept;

  Segment& segment_;
  BatchQueue queue_;
  ipc::BatchEncoder encoder_;
  std::uint32_t stream_ = 0;         // of the batch that is being made
  std::uint64_t operations_ = 0;     // in it
  std::vector<std::uint64_t> last_;  // by stream: the last number given
  std::string line_;                 // reused

  std::string definitions_;
  std::vector<SegmentMapping> definition_blocks_;  // the same lines, for who reads the segment
  std::uint64_t refused_samples_ = 0;
};

}  // namespace metricsd::client
