// Who may send, by the kernel's word: the user that a peer had when it connected, and its groups.
#pragma once

#include <metricsd/ipc/endpoint.h>
#include <metricsd/models/errors.h>

#include <set>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

namespace metricsd::server {

struct AllowListOptions {
  std::vector<std::string> users;   // names or numbers; "*" is everyone
  std::vector<std::string> groups;  // names or numbers
  uid_t own_uid = 0;
  gid_t socket_group = 0;
};

// Immutable: any thread.
class AllowList {
 public:
  // The daemon's own user and root always may. Beside them, who is named; where nobody is, the members of
  // the socket's group. Errors: account_not_found, the system's; `explanation` then is one line for a person.
  [[nodiscard]] static Result<AllowList> make(const AllowListOptions& options, std::string& explanation);

  // Of who is connected at `fd`.
  [[nodiscard]] bool allows(const ipc::PeerCredentials& peer, int fd) const;

  [[nodiscard]] bool allows_user(uid_t uid) const { return everyone_ || users_.contains(uid); }
  [[nodiscard]] bool allows_one_of(std::span<const gid_t> groups) const;

 private:
  bool everyone_ = false;
  std::set<uid_t> users_;
  std::set<gid_t> groups_;
};

}  // namespace metricsd::server
