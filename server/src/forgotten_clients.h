// The clients that had something here and had to make room: only who they were. What one of them sends again
// may have been counted, so it is to be told that it was forgotten, and not taken for a new one.
//
// Bounded: where there are too many, the user with the most gives its oldest.
#pragma once

#include <metricsd/models/limits.h>
#include <metricsd/models/string_table.h>

#include <cstddef>
#include <list>
#include <map>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace metricsd::server {

// What a client is known by, in one text.
[[nodiscard]] std::string client_key(uid_t uid, std::string_view client_id);

// One thread.
class ForgottenClients {
 public:
  explicit ForgottenClients(std::size_t most = limits::kForgottenClients) : most_(most) {}
  ForgottenClients(const ForgottenClients&) = delete;
  ForgottenClients& operator=(const ForgottenClients&) = delete;

  [[nodiscard]] bool has(uid_t uid, std::string_view client_id) const;
  void add(uid_t uid, std::string_view client_id);
  void remove(uid_t uid, std::string_view client_id);
  void clear();

  [[nodiscard]] std::size_t size() const { return places_.size(); }
  // Calls `act(uid, client_id)` of each, of one user the oldest first.
  template <class Act>
  void for_each(const Act& act) const {
    for (const auto& [uid, ids] : by_user_) {
      for (const std::string& id : ids) act(uid, id);
    }
  }

 private:
  using Ids = std::list<std::string>;  // the oldest first

  void make_room();

  const std::size_t most_;
  std::map<uid_t, Ids> by_user_;  // none is empty
  StringTable<Ids::iterator> places_;
};

}  // namespace metricsd::server
