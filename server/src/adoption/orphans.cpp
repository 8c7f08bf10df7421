#include "orphans.h"

#include <sys/stat.h>

namespace metricsd::server {

Orphan::Orphan(uid_t owner, std::string called, UniqueFd file)
    : uid(owner), name(std::move(called)), segment(std::make_shared<const UniqueFd>(std::move(file))) {}

Result<uid_t> owner_of(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return last_system_error();
  return status.st_uid;
}

OrphanPtr Orphans::find(uid_t uid, const std::string& name) const {
  const auto found = known_.find({uid, name});
  return found == known_.end() ? nullptr : found->second;
}

bool Orphans::has(const OrphanPtr& orphan) const {
  return find(orphan->uid, orphan->name) == orphan;
}

std::vector<OrphanPtr> Orphans::all() const {
  std::vector<OrphanPtr> all;
  all.reserve(known_.size());
  for (const auto& [key, orphan] : known_) all.push_back(orphan);
  return all;
}

void Orphans::add(const OrphanPtr& orphan) {
  known_.emplace(std::pair(orphan->uid, orphan->name), orphan);
}

void Orphans::drop(const OrphanPtr& orphan) {
  orphan->death.reset();
  if (has(orphan)) known_.erase({orphan->uid, orphan->name});
}

}  // namespace metricsd::server
