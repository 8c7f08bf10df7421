#include "delivery.h"

#include "segment_directory.h"

#include <metricsd/ipc/file_completion.h>
#include <metricsd/ipc/segment_ownership.h>
#include <metricsd/ipc/segment_reader.h>

#include <utility>

#include <boost/asio/post.hpp>
#include <unistd.h>

namespace metricsd::server {
namespace {

constexpr std::size_t kAtOnce = 16;                         // the shards have clients that live
constexpr std::uint64_t kFirstId = std::uint64_t{1} << 63;  // no connection comes to so many

// Nothing is to be done, or the file is one that we may write.
Result<std::uint64_t> complete(const ipc::SegmentReader& reader, uid_t uid) {
  if (reader.adopted() == ipc::Adopted::wholly || !ipc::may_lack_lines(reader)) return std::uint64_t{0};
  if (uid != ::geteuid()) return Errc::endpoint_untrusted;
  return ipc::complete_file(reader, reader.run().directory, uid);
}

}  // namespace

Delivery::Delivery(std::shared_ptr<boost::asio::io_context> loop,
                   const std::vector<std::unique_ptr<Shard>>& shards,
                   std::vector<std::filesystem::path> directories, Orphans& orphans, AdoptionNotes& notes,
                   std::function<void()> on_end)
    : loop_(std::move(loop)),
      shards_(shards),
      directories_(std::move(directories)),
      orphans_(orphans),
      notes_(notes),
      on_end_(std::move(on_end)) {}

bool Delivery::has_room() const {
  return under_way_ < kAtOnce;
}

void Delivery::deliver(const OrphanPtr& orphan) {
  orphan->death.reset();
  if (const auto locked = ipc::lock_segment(orphan->segment->get()); !locked) {
    if (locked.error() != Errc::endpoint_in_use) return give_up(orphan, locked.error());
    orphan->state = Orphan::State::looked_at;  // another delivers it
    return;
  }
  const auto reader = ipc::SegmentReader::open(orphan->segment->get());
  if (!reader) return give_up(orphan, reader.error());
  orphan->state = Orphan::State::delivered;
  orphan->outcome.client_id = reader->client_id();
  ++under_way_;
  if (reader->adopted() != ipc::Adopted::no) return finish(orphan);
  fold(orphan);
}

// The shard's answer comes on its own thread, and may come when this is gone.
void Delivery::fold(const OrphanPtr& orphan) {
  Shard& shard = *shards_[shard_of(orphan->uid, orphan->outcome.client_id, shards_.size())];
  shard.fold(orphan->segment, orphan->uid, kFirstId + ++deliveries_,
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
  if (lines) {
    remove_names(*orphan);
  } else {
    notes_.leave(orphan->name);
  }
  notes_.delivered(*orphan, marked ? error_code() : marked.error());
  end(orphan);
}

void Delivery::give_up(const OrphanPtr& orphan, const error_code& error) {
  notes_.refuse(orphan->uid, orphan->name, error);
  notes_.leave(orphan->name);
  orphan->outcome.error = error.message();
  end(orphan);
}

void Delivery::end(const OrphanPtr& orphan) {
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
