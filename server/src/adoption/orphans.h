// The segments that adoption knows: of clients that live, and of dead ones whose delivery is under way.
#pragma once

#include <metricsd/ipc/message.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <sys/types.h>

namespace metricsd::server {

// A client's segment: kept while it lives, then delivered.
struct Orphan {
  enum class State { watched, looked_at, delivered };

  Orphan(uid_t owner, std::string called, UniqueFd file);

  const uid_t uid;
  const std::string name;  // of its client as it was told, or of its file
  const std::shared_ptr<const UniqueFd> segment;
  std::uint64_t number = 0;  // the order in which they came
  pid_t pid = 0;
  std::optional<boost::asio::posix::stream_descriptor> death;  // the pidfd
  State state = State::watched;
  std::int64_t not_before_ns = 0;  // it could not be delivered for now: when to try again
  std::int64_t pause_ns = 0;       // before that
  bool is_counted = false;         // as delivered, here or by another daemon
  bool is_unfinished = false;      // it was counted so
  std::vector<std::function<void(const ipc::AdoptedMessage&)>> answers;  // of who handed it in
  ipc::AdoptedMessage outcome;
};

using OrphanPtr = std::shared_ptr<Orphan>;

// Whose file that is. Errors: the system's; Errc::endpoint_untrusted of a descriptor that is not for reading
// and writing, for it could neither be locked nor marked.
[[nodiscard]] Result<uid_t> owner_of(int file);

// One thread. Each is known by its user and name, once.
class Orphans {
 public:
  // Null where none is known.
  [[nodiscard]] OrphanPtr find(uid_t uid, const std::string& name) const;
  // False for one in whose place there is another by now.
  [[nodiscard]] bool has(const OrphanPtr& orphan) const;
  [[nodiscard]] std::size_t size() const { return known_.size(); }
  // As they are now.
  [[nodiscard]] std::vector<OrphanPtr> all() const;

  // None is known by its user and name.
  void add(const OrphanPtr& orphan);
  // Of the user that has the most, where they are equal of this one: the oldest that `may_go`. Null where
  // there is none.
  [[nodiscard]] OrphanPtr oldest_of_greediest(uid_t uid,
                                              const std::function<bool(const Orphan&)>& may_go) const;
  // Its death is not waited for any more.
  void drop(const OrphanPtr& orphan);

 private:
  using ByAge = std::map<std::uint64_t, OrphanPtr>;

  std::map<std::pair<uid_t, std::string>, OrphanPtr> known_;
  std::map<uid_t, ByAge> by_user_;  // none is empty
  std::uint64_t added_ = 0;
};

}  // namespace metricsd::server
