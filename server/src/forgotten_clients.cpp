#include "forgotten_clients.h"

#include <algorithm>
#include <utility>

namespace metricsd::server {

std::string client_key(uid_t uid, std::string_view client_id) {
  return std::string(client_id).append(":").append(std::to_string(uid));
}

bool ForgottenClients::has(uid_t uid, std::string_view client_id) const {
  return !places_.empty() && places_.contains(client_key(uid, client_id));
}

void ForgottenClients::add(uid_t uid, std::string_view client_id) {
  std::string key = client_key(uid, client_id);
  if (places_.contains(key)) return;
  if (places_.size() >= most_) make_room();
  Ids& ids = by_user_[uid];
  places_.emplace(std::move(key), ids.emplace(ids.end(), client_id));
}

void ForgottenClients::remove(uid_t uid, std::string_view client_id) {
  if (places_.empty()) return;
  const auto found = places_.find(client_key(uid, client_id));
  if (found == places_.end()) return;
  const auto user = by_user_.find(uid);
  user->second.erase(found->second);
  places_.erase(found);
  if (user->second.empty()) by_user_.erase(user);
}

void ForgottenClients::clear() {
  places_.clear();
  by_user_.clear();
}

void ForgottenClients::make_room() {
  const auto greediest = std::max_element(by_user_.begin(), by_user_.end(), [](const auto& a, const auto& b) {
    return a.second.size() < b.second.size();
  });
  if (greediest == by_user_.end()) return;
  const std::string oldest = greediest->second.front();
  remove(greediest->first, oldest);
}

}  // namespace metricsd::server
