// What one user may take of the daemon, so that none keeps the others out: so many connections, and so many
// bytes a second over all of them. Who has too many connections is refused; who sends too fast is read more
// slowly, its connections in turn, and loses nothing.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include <sys/types.h>

namespace metricsd::server {

struct UserLimit {
  static constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t connections = kNone;
  std::uint64_t bytes_per_second = kNone;
};

// What is left of one user's limit. Any thread.
class UserShare {
 public:
  explicit UserShare(const UserLimit& limit) : limit_(limit) {}

  [[nodiscard]] bool has_rate() const { return limit_.bytes_per_second != UserLimit::kNone; }
  // Sets `bytes` aside. Its value is when they may be read, in nanoseconds of the monotonic clock: not after
  // `now_ns` where the user has sent less than it may; else later, the later the more others of its
  // connections wait. So they have their turns in the order in which they asked.
  [[nodiscard]] std::int64_t reserve(std::size_t bytes, std::int64_t now_ns);

 private:
  friend class Seat;
  friend class UserLimits;

  const UserLimit limit_;
  std::atomic<std::int64_t> free_at_ns_ = std::numeric_limits<std::int64_t>::min();
  std::atomic<std::uint64_t> connections_ = 0;
};

// A place among a user's connections, given back with it.
class Seat {
 public:
  Seat() = default;
  explicit Seat(std::shared_ptr<UserShare> share);
  Seat(Seat&&) noexcept = default;
  Seat& operator=(Seat&& other) noexcept;
  ~Seat();

  // Null where nothing bounds the user's bytes.
  [[nodiscard]] UserShare* rate() const { return share_ && share_->has_rate() ? share_.get() : nullptr; }

 private:
  std::shared_ptr<UserShare> share_;
};

// The users that are, or recently were, connected. Any thread.
class UserLimits {
 public:
  // `owner` is for root and the user `own_uid`: they can end the daemon anyway.
  UserLimits(const UserLimit& others, const UserLimit& owner, uid_t own_uid)
      : others_(others), owner_(owner), own_uid_(own_uid) {}

  // Nothing where the user has as many connections as it may.
  [[nodiscard]] std::optional<Seat> enter(uid_t uid, std::int64_t now_ns);

 private:
  [[nodiscard]] const UserLimit& limit_of(uid_t uid) const;
  void forget_who_is_gone(std::int64_t now_ns);

  const UserLimit others_;
  const UserLimit owner_;
  const uid_t own_uid_;

  std::mutex mutex_;
  std::map<uid_t, std::shared_ptr<UserShare>> users_;
};

}  // namespace metricsd::server
