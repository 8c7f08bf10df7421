#include "user_limits.h"

#include <metricsd/models/decimal.h>
#include <metricsd/models/timestamp.h>

#include <algorithm>
#include <utility>

namespace metricsd::server {
namespace {

// What a user has not used in this time it may still use at once.
constexpr std::int64_t kBurstNs = 250 * kNsPerMs;
// So many users are kept without looking which of them are gone.
constexpr std::size_t kKeptUsers = 64;

}  // namespace

std::int64_t UserShare::reserve(std::size_t bytes, std::int64_t now_ns) {
  const auto cost_ns = static_cast<std::int64_t>(Uint128{bytes} * static_cast<std::uint64_t>(kNsPerSecond) /
                                                 limit_.bytes_per_second);
  std::int64_t free_at_ns = free_at_ns_;
  std::int64_t turn_ns = 0;
  do {
    turn_ns = std::max(free_at_ns, now_ns - kBurstNs);
  } while (!free_at_ns_.compare_exchange_weak(free_at_ns, turn_ns + cost_ns));
  return turn_ns;
}

Seat::Seat(std::shared_ptr<UserShare> share) : share_(std::move(share)) {
  ++share_->connections_;
}

Seat& Seat::operator=(Seat&& other) noexcept {
  std::swap(share_, other.share_);
  return *this;
}

Seat::~Seat() {
  if (share_) --share_->connections_;
}

std::optional<Seat> UserLimits::enter(uid_t uid, std::int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  if (users_.size() >= kKeptUsers) forget_who_is_gone(now_ns);
  auto& share = users_[uid];
  if (!share) share = std::make_shared<UserShare>(limit_of(uid));
  if (share->connections_ >= share->limit_.connections) return std::nullopt;
  return Seat(share);
}

const UserLimit& UserLimits::limit_of(uid_t uid) const {
  return uid == 0 || uid == own_uid_ ? owner_ : others_;
}

// Who has bytes to its debit is kept: it would begin anew otherwise.
void UserLimits::forget_who_is_gone(std::int64_t now_ns) {
  std::erase_if(users_, [now_ns](const auto& entry) {
    const UserShare& share = *entry.second;
    return share.connections_ == 0 && share.free_at_ns_ <= now_ns;
  });
}

}  // namespace metricsd::server
