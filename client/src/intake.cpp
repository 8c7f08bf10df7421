#include "intake.h"

#include "record.h"

#include <metricsd/models/limits.h>

#include <algorithm>

namespace metricsd::client {
namespace {

using std::chrono::duration_cast;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

std::int64_t start_of(const Operation& operation) {
  if (operation.start) return duration_cast<nanoseconds>(operation.start->time_since_epoch()).count();
  const std::int64_t now = duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
  // A negative duration is repaired later; here it must only not overflow.
  return operation.duration > nanoseconds::zero() ? now - operation.duration.count() : now;
}

}  // namespace

Intake::Intake(std::size_t ring_bytes, std::uint64_t users)
    : rings_(ring_bytes), users_(users), most_users_(users) {
  calibrate();
}

void Intake::record(const Operation& operation) noexcept {
  if (const Loss reason = closed_for_.load(std::memory_order_relaxed); reason != kOpen) {
    losses_.add(reason, 1);
    return;
  }
  Ring* ring = rings_.of_this_thread();
  if (ring == nullptr) {
    losses_.add(Loss::ring_no_memory, 1);
  } else if (!write_record(*ring, operation, start_of(operation))) {
    losses_.add(Loss::ring_full, 1);
  }
}

// In the ledger, so that the daemon is told; what comes later only account() still finds.
void Intake::end(std::uint64_t taken) noexcept {
  const std::uint64_t committed = rings_.committed();
  losses_.add(Loss::record_late, committed - taken);
  accounted_.store(committed, std::memory_order_relaxed);
}

Intake::Account Intake::account() const noexcept {
  const std::uint64_t committed = rings_.committed();
  const std::uint64_t accounted = accounted_.load(std::memory_order_relaxed);
  LossTotals lost = losses_.totals();
  if (committed > accounted) lost[static_cast<std::size_t>(Loss::record_late)] += committed - accounted;
  return {committed + turned_away(lost), lost};
}

void Intake::set_users(std::uint64_t count) noexcept {
  count = std::min(count, limits::kWhole);
  users_.store(count, std::memory_order_relaxed);
  std::uint64_t most = most_users();
  while (count > most && !most_users_.compare_exchange_weak(most, count, std::memory_order_relaxed)) {
  }
}

system_clock::time_point Intake::wall_time(steady_clock::time_point at) const noexcept {
  const auto since_epoch =
      at.time_since_epoch() + nanoseconds(wall_minus_steady_ns_.load(std::memory_order_relaxed));
  return system_clock::time_point(duration_cast<system_clock::duration>(since_epoch));
}

void Intake::calibrate() noexcept {
  const auto steady = duration_cast<nanoseconds>(steady_clock::now().time_since_epoch());
  const auto wall = duration_cast<nanoseconds>(system_clock::now().time_since_epoch());
  wall_minus_steady_ns_.store((wall - steady).count(), std::memory_order_relaxed);
}

}  // namespace metricsd::client
