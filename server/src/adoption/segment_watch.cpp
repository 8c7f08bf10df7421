#include "segment_watch.h"

#include <metricsd/ipc/segment_ownership.h>
#include <metricsd/models/errors.h>

#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <sys/stat.h>

// The header of glibc 2.36 forgets to say that these are C.
extern "C" {
#include <sys/pidfd.h>
}

namespace metricsd::server {
namespace {

using boost::asio::posix::stream_descriptor;

bool is_same_file(int one, int other) {
  struct stat a {};
  struct stat b {};
  return ::fstat(one, &a) == 0 && ::fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool is_free(const Orphan& orphan) {
  const auto owner = ipc::segment_owner(orphan.segment->get());
  return owner && *owner == -1;
}

}  // namespace

SegmentWatch::SegmentWatch(boost::asio::io_context& loop, std::size_t most_kept, Orphans& orphans,
                           Delivery& delivery, AdoptionNotes& notes)
    : loop_(loop), most_kept_(most_kept), orphans_(orphans), delivery_(delivery), notes_(notes) {}

void SegmentWatch::keep(uid_t uid, pid_t pid, const std::string& client_id, UniqueFd segment) {
  if (const auto known = orphans_.find(uid, client_id)) {
    const bool is_delivered = known->state == Orphan::State::delivered;
    if (is_delivered || is_same_file(known->segment->get(), segment.get())) return;
    orphans_.drop(known);
  }
  const auto owner = owner_of(segment.get());
  if (!owner || *owner != uid) return notes_.refuse(uid, client_id, Errc::endpoint_untrusted);
  if (!make_room(uid)) return notes_.not_kept(uid, client_id);
  const auto orphan = std::make_shared<Orphan>(uid, client_id, std::move(segment));
  orphan->pid = pid;
  orphans_.add(orphan);
  watch(orphan);
}

// Whose client is dead has its delivery before it, unless that was put off.
bool SegmentWatch::make_room(uid_t uid) {
  const auto may_go = [](const Orphan& orphan) {
    return orphan.state != Orphan::State::delivered && (orphan.not_before_ns != 0 || !is_free(orphan));
  };
  while (orphans_.size() >= most_kept_) {
    const auto oldest = orphans_.oldest_of_greediest(uid, may_go);
    if (oldest == nullptr) return false;
    notes_.not_kept(oldest->uid, oldest->name);
    orphans_.drop(oldest);
  }
  return true;
}

// The pidfd is that of the lock's holder if the holder has this pid after it was opened; whatever it says
// later, the lock has the last word.
void SegmentWatch::watch(const OrphanPtr& orphan) {
  UniqueFd pidfd(orphan->pid > 0 ? ::pidfd_open(orphan->pid, 0) : -1);
  const auto owner = ipc::segment_owner(orphan->segment->get());
  if (!owner) {
    notes_.refuse(orphan->uid, orphan->name, owner.error());
    return orphans_.drop(orphan);
  }
  if (*owner == -1) return delivery_.deliver(orphan);
  orphan->state = Orphan::State::looked_at;
  if (!pidfd.valid() || *owner != orphan->pid) return;
  orphan->state = Orphan::State::watched;
  orphan->death.emplace(loop_, pidfd.release());
  orphan->death->async_wait(stream_descriptor::wait_read, [this, orphan](const error_code& error) {
    if (!error && orphans_.has(orphan)) on_death(orphan);
  });
}

void SegmentWatch::on_death(const OrphanPtr& orphan) {
  orphan->death.reset();
  if (is_free(*orphan)) return delivery_.deliver(orphan);
  orphan->state = Orphan::State::looked_at;  // another process had that pid, or the owner passed it on
}

void SegmentWatch::let_go(uid_t uid, const std::string& client_id) {
  const auto known = orphans_.find(uid, client_id);
  if (known != nullptr && known->state != Orphan::State::delivered) orphans_.drop(known);
}

void SegmentWatch::look(bool at_all) {
  std::vector<OrphanPtr> free;
  for (const auto& orphan : orphans_.all()) {
    const bool is_due =
        orphan->state == Orphan::State::looked_at || (at_all && orphan->state == Orphan::State::watched);
    if (is_due && is_free(*orphan)) free.push_back(orphan);
  }
  for (const auto& orphan : free) delivery_.deliver(orphan);
}

}  // namespace metricsd::server
