#include "orphan_search.h"

#include <metricsd/ipc/segment_ownership.h>
#include <metricsd/models/errors.h>

#include <memory>
#include <utility>

#include <unistd.h>

namespace metricsd::server {

OrphanSearch::OrphanSearch(std::vector<std::filesystem::path> directories, std::size_t most_known,
                           Orphans& orphans, Delivery& delivery, AdoptionNotes& notes)
    : directories_(std::move(directories)),
      most_known_(most_known),
      orphans_(orphans),
      delivery_(delivery),
      notes_(notes) {}

void OrphanSearch::run() {
  has_ended_early_ = false;
  for (const std::filesystem::path& path : directories_) {
    if (!has_ended_early_) run_through(path);
  }
}

void OrphanSearch::run_through(const std::filesystem::path& path) {
  const auto opened = SegmentDirectory::open(path);
  if (!opened) {
    if (opened.error() == Errc::endpoint_untrusted) notes_.refuse_name(path.string(), opened.error());
    return;
  }
  const uid_t own = ::geteuid();
  opened->for_each_name([&](const std::string& name) {
    if (!delivery_.has_room() || orphans_.size() >= most_known_) {
      has_ended_early_ = true;
      return false;
    }
    if (!notes_.is_left(name) && orphans_.find(own, name) == nullptr) look_at(*opened, name);
    return true;
  });
}

void OrphanSearch::go_on() {
  if (has_ended_early_ && delivery_.has_room()) run();
}

void OrphanSearch::give_up(const std::string& name, const error_code& error) {
  if (error == boost::system::errc::no_such_file_or_directory) return;
  if (may_pass(error)) return notes_.put_off(::geteuid(), name, error);
  notes_.refuse_name(name, error);
}

void OrphanSearch::look_at(const SegmentDirectory& directory, const std::string& name) {
  auto segment = directory.open_segment(name);
  if (!segment) return give_up(name, segment.error());
  const auto owner = ipc::segment_owner(segment->get());
  if (!owner) return give_up(name, owner.error());
  if (*owner != -1) return;
  const auto orphan = std::make_shared<Orphan>(::geteuid(), name, *std::move(segment));
  orphans_.add(orphan);
  delivery_.deliver(orphan);
}

}  // namespace metricsd::server
