#include "delivery.h"

#include "prepared_segment.h"
#include "segment_directory.h"

#include <metricsd/ipc/file_completion.h>
#include <metricsd/ipc/segment_ownership.h>
#include <metricsd/ipc/segment_reader.h>

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <unistd.h>

namespace metricsd::server {
namespace {

constexpr std::size_t kAtOnce = 16;  // the shards have clients that live
// Before one that failed is tried again, each time twice as long.
constexpr std::int64_t kFirstPauseNs = 5 * kNsPerSecond;
constexpr std::int64_t kLongestPauseNs = 300 * kNsPerSecond;
constexpr std::uint64_t kFirstId = std::uint64_t{1} << 63;  // no connection comes to so many

// Nothing is to be done, or the file is one that we may write.
Result<std::uint64_t> complete(const ipc::SegmentReader& reader, uid_t uid) {
  if (reader.adopted() == ipc::Adopted::wholly || !ipc::may_lack_lines(reader)) return std::uint64_t{0};
  if (uid != ::geteuid()) return Errc::endpoint_untrusted;
  return ipc::complete_file(reader, reader.run().directory, uid);
}

}  // namespace

bool may_pass(const error_code& error) {
  namespace errc = boost::system::errc;
  if (error == errc::permission_denied || error == errc::operation_not_permitted) return false;
  if (error == errc::bad_file_descriptor || error == errc::invalid_argument) return false;
  if (error == Errc::limit_reached || error == Errc::unexpected_message)
    return true;  // it is a crowd's, a peer's
  return error.category() == boost::system::system_category();
}

Delivery::Delivery(std::shared_ptr<boost::asio::io_context> loop,
                   const std::vector<std::unique_ptr<Shard>>& shards, const Clock& clock,
                   std::vector<std::filesystem::path> directories, Orphans& orphans, AdoptionNotes& notes,
                   std::function<void()> on_end)
    : loop_(std::move(loop)),
      shards_(shards),
      clock_(clock),
      directories_(std::move(directories)),
      orphans_(orphans),
      notes_(notes),
      on_end_(std::move(on_end)) {}

bool Delivery::has_room() const {
  return under_way_ < kAtOnce;
}

void Delivery::deliver(const OrphanPtr& orphan) {
  orphan->death.reset();
  if (clock_.monotonic_ns() < orphan->not_before_ns) return;
  if (const auto locked = ipc::lock_segment(orphan->segment->get()); !locked) {
    if (locked.error() != Errc::endpoint_in_use) return give_up(orphan, locked.error());
    orphan->state = Orphan::State::looked_at;  // another delivers it
    return;
  }
  auto reader = ipc::SegmentReader::open(orphan->segment->get());
  if (!reader) return give_up(orphan, reader.error());
  orphan->state = Orphan::State::delivered;
  orphan->outcome = {.client_id = reader->client_id()};
  ++under_way_;
  if (reader->adopted() == ipc::Adopted::no) return fold(orphan, *std::move(reader));
  orphan->is_counted = true;
  finish(orphan);
}

// The shard's answer comes on its own thread, and may come when this is gone.
void Delivery::fold(const OrphanPtr& orphan, ipc::SegmentReader reader) {
  auto prepared = PreparedSegment::of(std::move(reader), orphan->segment, orphan->uid);
  if (!prepared) {
    --under_way_;
    return give_up(orphan, prepared.error());
  }
  Shard& shard = *shards_[shard_of(orphan->uid, orphan->outcome.client_id, shards_.size())];
  shard.fold(std::make_shared<const PreparedSegment>(*std::move(prepared)), kFirstId + ++deliveries_,
             [this, loop = loop_, orphan](const FoldOutcome& outcome) {
               boost::asio::post(*loop, [this, orphan, outcome] { on_durable(orphan, outcome); });
             });
}

void Delivery::on_durable(const OrphanPtr& orphan, const FoldOutcome& outcome) {
  if (!outcome) {
    --under_way_;
    return give_up(orphan, outcome.error());
  }
  orphan->outcome.records = *outcome;
  finish(orphan);
}

// All that it held is durable here; the files are next.
void Delivery::finish(const OrphanPtr& orphan) {
  --under_way_;
  const int segment = orphan->segment->get();
  const auto reader = ipc::SegmentReader::open(segment);
  const Result<std::uint64_t> lines = reader ? complete(*reader, orphan->uid) : reader.error();
  orphan->outcome.whole = lines.has_value();
  orphan->outcome.file_lines = lines.has_value() ? *lines : 0;
  const auto marked = ipc::mark_adopted(segment, lines ? ipc::Adopted::wholly : ipc::Adopted::by_daemon);
  if (lines) remove_names(*orphan);
  notes_.delivered(*orphan, marked ? error_code() : marked.error());
  if (!lines && may_pass(lines.error())) {
    notes_.put_off(orphan->uid, orphan->name, lines.error());
    return put_off(orphan);
  }
  if (!lines) notes_.leave(orphan->name);
  end(orphan);
}

void Delivery::give_up(const OrphanPtr& orphan, const error_code& error) {
  orphan->outcome.error = error.message();
  if (may_pass(error)) {
    notes_.put_off(orphan->uid, orphan->name, error);
    return put_off(orphan);
  }
  notes_.refuse(orphan->uid, orphan->name, error);
  notes_.leave(orphan->name);
  end(orphan);
}

// It stays known, and locked, and is looked at again. Who handed it in has been told, and may try again, too:
// for his sake nothing is kept.
void Delivery::put_off(const OrphanPtr& orphan) {
  if (!orphan->answers.empty()) return end(orphan);
  orphan->state = Orphan::State::looked_at;
  orphan->pause_ns = std::clamp(2 * orphan->pause_ns, kFirstPauseNs, kLongestPauseNs);
  orphan->not_before_ns = clock_.monotonic_ns() + orphan->pause_ns;
  on_end_();
}

// Who handed it in goes on with it once he is answered: by then it is free.
void Delivery::end(const OrphanPtr& orphan) {
  ipc::unlock_segment(orphan->segment->get());
  for (const auto& answer : std::exchange(orphan->answers, {})) answer(orphan->outcome);
  orphans_.drop(orphan);
  on_end_();
}

// The one that it was found by, and its client's.
void Delivery::remove_names(const Orphan& orphan) const {
  const int segment = orphan.segment->get();
  for (const std::filesystem::path& path : directories_) {
    const auto directory = SegmentDirectory::open(path);
    if (!directory) continue;
    directory->remove(orphan.name, segment);
    if (orphan.name != orphan.outcome.client_id) directory->remove(orphan.outcome.client_id, segment);
  }
}

}  // namespace metricsd::server
