#include "segment_fold.h"

#include <metricsd/models/limits.h>

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

namespace metricsd::server {
namespace {

constexpr std::size_t kTurnRecords = 4096;

// Where what the decoder found stands in its stream, if it is something that has a place there.
std::optional<std::pair<ipc::StreamPosition, std::uint64_t>> place_of(const ipc::Decoder& decoder,
                                                                      ipc::Decoder::Step step) {
  if (step == ipc::Decoder::Step::batch) {
    const ipc::Batch& batch = decoder.batch();
    return std::pair(ipc::StreamPosition{batch.stream, batch.first_seq}, batch.count);
  }
  if (step != ipc::Decoder::Step::message) return std::nullopt;
  const auto* samples = std::get_if<ipc::SamplesMessage>(&decoder.message());
  if (samples == nullptr || !samples->position) return std::nullopt;
  return std::pair(*samples->position, samples->samples.size() + samples->refused.size());
}

}  // namespace

SegmentFold::SegmentFold(Aggregator& aggregator, const PreparedSegment& prepared, Gauge::Owner id)
    : aggregator_(aggregator),
      prepared_(prepared),
      segment_(prepared.reader),
      sender_(id),
      decoder_(limits::kBatchLine),
      queue_(prepared.reader) {
  aggregator_.open();
}

Result<> SegmentFold::begin() {
  aggregator_.begin_chunk(0);
  const bool was_kept = segment_.is_confirmed() && segment_.store_id() == aggregator_.store_id();
  is_forgotten_ = aggregator_.has_forgotten(prepared_.uid, segment_.client_id()) ||
                  (was_kept && !aggregator_.knows(prepared_.uid, segment_.client_id()));
  const ipc::SegmentRun& run = segment_.run();
  builder_.emplace(
      ipc::OperationBuilder::Defaults{
          .workload_type = run.workload_type, .driver = run.driver, .id_prefix = run.id_prefix},
      prepared_.names, segment_.timeline());
  const auto greeted = aggregator_.greet(sender_, prepared_.uid, introduction());
  if (!greeted) return greeted.error();
  take_lines(run.run_start);
  aggregator_.end_chunk();
  return {};
}

// The oldest that is left of each stream. Of a client that is long forgotten nobody knows any more what of
// its queue was counted: that is lost, and it begins with what it never sent.
ipc::HelloMessage SegmentFold::introduction() {
  std::map<std::uint32_t, std::uint64_t> first;
  if (is_forgotten_) {
    if (prepared_.queued > 0) lost_["socket"]["expired"] = prepared_.queued;
  } else {
    first = prepared_.first_queued;
  }
  for (const ipc::SegmentRing& ring : segment_.rings()) {
    const std::uint64_t next = ring.position.sequence + 1;
    std::uint64_t& of_stream = first.try_emplace(ring.stream, next).first->second;
    of_stream = std::min(of_stream, next);
  }
  ipc::HelloMessage hello;
  hello.client_id = segment_.client_id();
  hello.pid = segment_.pid();
  for (const auto& [stream, seq] : first) hello.streams.push_back({stream, seq});
  return hello;
}

Result<bool> SegmentFold::turn() {
  switch (stage_) {
    case Stage::definitions: return turn_of_definitions();
    case Stage::queue: return turn_of_queue();
    case Stage::rings: return turn_of_rings();
    case Stage::losses: tell_losses(); return true;
    case Stage::done: break;
  }
  return false;
}

void SegmentFold::end() {
  aggregator_.close(sender_);
}

Result<bool> SegmentFold::turn_of_definitions() {
  if (part_ == segment_.definition_parts()) {
    const bool has_no_records = is_forgotten_ && segment_.has_ended();
    stage_ = has_no_records ? Stage::losses : is_forgotten_ ? Stage::rings : Stage::queue;
    return true;
  }
  const auto lines = segment_.read_definitions(part_++);
  if (!lines) return {boost::system::in_place_error, lines.error()};
  aggregator_.begin_chunk(0);
  take_lines(*lines);
  aggregator_.end_chunk();
  return true;
}

Result<bool> SegmentFold::turn_of_queue() {
  std::size_t bytes = 0;
  while (bytes < limits::kReadChunk) {
    ipc::QueuedLine queued;
    const Result<bool> more = queue_.next(queued);
    if (!more) return more;
    if (!*more) {
      stage_ = segment_.has_ended() ? Stage::losses : Stage::rings;
      return true;
    }
    bytes += sizeof(ipc::QueueEntry) + queued.line.size();
    take_queued(queued);
  }
  return true;
}

// A line that does not say what its entry does is passed over: what follows it then shows a gap.
void SegmentFold::take_queued(const ipc::QueuedLine& queued) {
  aggregator_.begin_chunk(queued.line.size());
  const bool is_line = queued.line.ends_with('\n');  // else the next entry would go on in it
  if (is_line) decoder_.feed(queued.line);
  const ipc::Decoder::Step step = is_line ? decoder_.next() : ipc::Decoder::Step::need_more;
  const auto place = place_of(decoder_, step);
  const bool is_right = place && place->first.stream == queued.stream &&
                        place->first.first_seq == queued.first_seq &&
                        place->second == queued.last_seq - queued.first_seq + 1;
  if (!is_right) {
    aggregator_.refuse(Errc::corrupt_state);
  } else if (step == ipc::Decoder::Step::batch) {
    take_batch();
  } else {
    const std::uint64_t before = sender_.client->records.emitted;
    static_cast<void>(aggregator_.apply(sender_, decoder_.message()));
    records_ += sender_.client->records.emitted - before;
  }
  while (is_line && decoder_.next() != ipc::Decoder::Step::need_more) {
  }
  aggregator_.end_chunk();
}

void SegmentFold::take_batch() {
  const std::uint64_t before = sender_.client->records.emitted;
  static_cast<void>(aggregator_.apply(sender_, decoder_.batch()));
  records_ += sender_.client->records.emitted - before;
}

Result<bool> SegmentFold::turn_of_rings() {
  const auto& rings = segment_.rings();
  if (ring_ == rings.size()) {
    stage_ = Stage::losses;
    return true;
  }
  if (!reader_) {
    reader_.emplace(segment_, rings[ring_], ipc::RingReader::From::queue);
    next_seq_ = rings[ring_].position.sequence + 1;
  }
  const Result<bool> more = take_records();
  if (!more) return more;
  if (!*more) {
    ++ring_;
    reader_.reset();
  }
  return true;
}

// As the client would have sent them.
Result<bool> SegmentFold::take_records() {
  const ipc::SegmentRing& ring = segment_.rings()[ring_];
  encoder_.begin(ring.stream, next_seq_);
  bool more = true;
  while (more && encoder_.count() < kTurnRecords && !encoder_.is_full()) {
    const Result<bool> read = reader_->next(record_);
    if (!read) return read;
    more = *read;
    if (!more) break;
    if (!builder_->build(record_, ring.stream, reader_->ordinal(), operation_)) {
      ++lost_["record"]["invalid"];
      encoder_.add_nothing();
      continue;
    }
    const std::uint32_t shared = encoder_.shared({.operation_type = operation_.operation_type,
                                                  .workload_type = operation_.workload_type,
                                                  .driver = operation_.driver,
                                                  .success = operation_.success,
                                                  .error_code = operation_.error_code});
    encoder_.add(shared, operation_.duration_ns, operation_.object_size_bytes, operation_.retry_count);
  }
  if (!more && reader_->unread() > 0) lost_["record"]["unreadable"] += reader_->unread();
  next_seq_ += encoder_.count();
  if (encoder_.count() == 0) return more;
  line_.clear();
  encoder_.finish(line_);
  aggregator_.begin_chunk(line_.size());
  decoder_.feed(line_);
  if (decoder_.next() == ipc::Decoder::Step::batch) take_batch();
  while (decoder_.next() != ipc::Decoder::Step::need_more) {
  }
  aggregator_.end_chunk();
  return more;
}

// The client's, as totals of its life; those of here add to them, since it can't count any more. What one
// that is forgotten lost has been told, as far as is known.
void SegmentFold::tell_losses() {
  aggregator_.begin_chunk(0);
  ipc::HeartbeatMessage losses{.dropped = std::exchange(lost_, {})};
  if (!is_forgotten_) {
    losses.total = segment_.losses();
    merge(*losses.total, losses.dropped);
  }
  static_cast<void>(aggregator_.apply(sender_, losses));
  aggregator_.end_chunk();
  stage_ = Stage::done;
}

void SegmentFold::take_lines(std::string_view lines) {
  decoder_.feed(lines);
  for (auto step = decoder_.next(); step != ipc::Decoder::Step::need_more; step = decoder_.next()) {
    if (step != ipc::Decoder::Step::message) continue;
    const ipc::Message& message = decoder_.message();
    const bool is_state = std::holds_alternative<ipc::RunStartMessage>(message) ||
                          std::holds_alternative<ipc::DefineMessage>(message);
    if (is_state) static_cast<void>(aggregator_.apply(sender_, message));
  }
}

}  // namespace metricsd::server
