#include "orphans.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/stat.h>

namespace metricsd::server {

Orphan::Orphan(uid_t owner, std::string called, UniqueFd file)
    : uid(owner), name(std::move(called)), segment(std::make_shared<const UniqueFd>(std::move(file))) {}

Result<uid_t> owner_of(int file) {
  const int flags = ::fcntl(file, F_GETFL);
  if (flags == -1) return last_system_error();
  if ((flags & O_ACCMODE) != O_RDWR) return Errc::endpoint_untrusted;
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
  orphan->number = ++added_;
  by_user_[orphan->uid].emplace(orphan->number, orphan);
}

void Orphans::drop(const OrphanPtr& orphan) {
  orphan->death.reset();
  if (!has(orphan)) return;
  known_.erase({orphan->uid, orphan->name});
  const auto user = by_user_.find(orphan->uid);
  user->second.erase(orphan->number);
  if (user->second.empty()) by_user_.erase(user);
}

OrphanPtr Orphans::oldest_of_greediest(uid_t uid, const std::function<bool(const Orphan&)>& may_go) const {
  auto greediest = by_user_.find(uid);
  for (auto user = by_user_.begin(); user != by_user_.end(); ++user) {
    if (greediest == by_user_.end() || user->second.size() > greediest->second.size()) greediest = user;
  }
  if (greediest == by_user_.end()) return nullptr;
  const ByAge& orphans = greediest->second;
  const auto found =
      std::find_if(orphans.begin(), orphans.end(), [&](const auto& each) { return may_go(*each.second); });
  return found == orphans.end() ? nullptr : found->second;
}

}  // namespace metricsd::server
