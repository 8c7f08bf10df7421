#include "allow_list.h"

#include <metricsd/ipc/accounts.h>

#include <algorithm>

namespace metricsd::server {
namespace {

constexpr std::string_view kEveryone = "*";

}  // namespace

Result<AllowList> AllowList::make(const AllowListOptions& options, std::string& explanation) {
  AllowList list;
  list.users_ = {0, options.own_uid};
  for (const std::string& user : options.users) {
    if (user == kEveryone) {
      list.everyone_ = true;
      continue;
    }
    const auto uid = ipc::user_id(user);
    if (!uid) {
      explanation = "--socket.allow-uid: no user \"" + user + "\": " + uid.error().message();
      return uid.error();
    }
    list.users_.insert(*uid);
  }
  for (const std::string& group : options.groups) {
    const auto gid = ipc::group_id(group);
    if (!gid) {
      explanation = "--socket.allow-group: no group \"" + group + "\": " + gid.error().message();
      return gid.error();
    }
    list.groups_.insert(*gid);
  }
  if (options.users.empty() && options.groups.empty()) list.groups_.insert(options.socket_group);
  return list;
}

bool AllowList::allows(const ipc::PeerCredentials& peer, int fd) const {
  if (allows_user(peer.uid) || groups_.contains(peer.gid)) return true;
  const auto groups = ipc::peer_groups(fd);
  return groups && allows_one_of(*groups);
}

bool AllowList::allows_one_of(std::span<const gid_t> groups) const {
  return std::any_of(groups.begin(), groups.end(), [this](gid_t gid) { return groups_.contains(gid); });
}

}  // namespace metricsd::server
