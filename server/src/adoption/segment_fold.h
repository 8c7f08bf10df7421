// What a dead client's segment holds, into the aggregator as if it came over one more connection: the run,
// the definitions, the queue, the records that the queue had not taken, and at last the losses. Each record
// counts once, as its client's streams have it.
//
// What contradicts itself is passed over and counted, never more.
#pragma once

#include "../aggregator.h"
#include "../sender.h"
#include "prepared_segment.h"

#include <metricsd/ipc/batch.h>
#include <metricsd/ipc/decoder.h>
#include <metricsd/ipc/operation_builder.h>
#include <metricsd/ipc/queue_reader.h>
#include <metricsd/ipc/ring_reader.h>
#include <metricsd/ipc/segment_reader.h>
#include <metricsd/models/errors.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace metricsd::server {

// The aggregator's thread. end() before it goes.
class SegmentFold {
 public:
  // `aggregator` and `prepared` outlive it. `id` is unique over all connections.
  SegmentFold(Aggregator& aggregator, const PreparedSegment& prepared, Gauge::Owner id);
  SegmentFold(const SegmentFold&) = delete;
  SegmentFold& operator=(const SegmentFold&) = delete;

  // The connection that the client had is closed already. Errors: limit_reached where as many clients are
  // known as may be.
  [[nodiscard]] Result<> begin();
  // Takes a bounded amount, then yields. False once all is taken. Errors: those of reading.
  [[nodiscard]] Result<bool> turn();
  // As a connection ends: what belonged to it goes, what counted stays.
  void end();

  // Records that this took, be they folded or refused; what was known before is not among them.
  [[nodiscard]] std::uint64_t records() const { return records_; }

 private:
  enum class Stage { definitions, queue, rings, losses, done };

  ipc::HelloMessage introduction();
  Result<bool> turn_of_definitions();
  Result<bool> turn_of_queue();
  Result<bool> turn_of_rings();
  void tell_losses();

  void take_lines(std::string_view lines);
  void take_queued(const ipc::QueuedLine& queued);
  // True while the ring may hold more.
  Result<bool> take_records();
  void take_batch();

  Aggregator& aggregator_;
  const PreparedSegment& prepared_;
  const ipc::SegmentReader& segment_;
  Sender sender_;
  ipc::Decoder decoder_;
  std::optional<ipc::OperationBuilder> builder_;
  Stage stage_ = Stage::definitions;
  bool is_forgotten_ = false;  // what of its queue was counted nobody knows any more
  std::size_t part_ = 0;       // of the definitions
  ipc::QueueReader queue_;
  std::size_t ring_ = 0;
  std::optional<ipc::RingReader> reader_;
  std::uint64_t next_seq_ = 0;  // of the ring's next record
  ipc::BatchEncoder encoder_;
  std::string line_;
  ipc::Record record_;
  OperationView operation_;
  DropCounts lost_;  // here, beside what the client counted
  std::uint64_t records_ = 0;
};

}  // namespace metricsd::server
