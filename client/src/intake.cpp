#include "intake.h"

#include "fork_guard.h"

#include <metricsd/models/limits.h>

#include <algorithm>
#include <thread>

namespace metricsd::client {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::microseconds kSpin{5};   // the writer may be about to release
constexpr std::chrono::microseconds kNap{100};  // shorter ones cost more than they gain

}  // namespace

Intake::Intake(std::string_view client_id, const IntakeOptions& options)
    : generation_(fork_guard::arm()),
      segment_(client_id, options.segment_directories),
      handles_(segment_),
      rings_(segment_, options.ring_bytes, options.most_rings),
      losses_(segment_.header()),
      gate_page_(*this),
      full_ring_wait_(options.full_ring_wait),
      users_(options.users),
      most_users_(options.users) {
  gate_page_.gate().ticket.store(rings_.ticket(), std::memory_order_relaxed);
}

bool Intake::is_inherited() noexcept {
  return gate().intake == nullptr || fork_guard::generation() != generation_;
}

void Intake::close(Loss reason) noexcept {
  closed_for_.store(reason, std::memory_order_relaxed);
  gate_page_.gate().ticket.store(0, std::memory_order_relaxed);
}

Ring* Intake::find_ring(const Gate& gate) noexcept {
  Intake* intake = gate.intake;
  if (intake == nullptr || intake->is_inherited()) return nullptr;
  if (const Loss reason = intake->closed_for_.load(std::memory_order_relaxed); reason != kOpen) {
    intake->losses_.add(reason, 1);
    return nullptr;
  }
  Ring* ring = intake->rings_.of_this_thread();
  if (ring == nullptr) intake->losses_.add(Loss::ring_no_memory, 1);
  return ring;
}

std::byte* Intake::wait_for_room(const Gate& gate, Ring& ring, std::size_t size) noexcept {
  Intake& intake = *gate.intake;
  if (intake.full_ring_wait_ > std::chrono::nanoseconds::zero()) {
    if (std::byte* room = intake.wait(ring, size); room != nullptr) return room;
  }
  intake.losses_.add(Loss::ring_full, 1);
  return nullptr;
}

// Spins, then sleeps: the writer is not woken, it comes by itself, the sooner the fuller it found the ring.
std::byte* Intake::wait(Ring& ring, std::size_t size) const noexcept {
  const auto begin = steady_clock::now();
  const auto end = begin + std::min<std::chrono::nanoseconds>(full_ring_wait_, std::chrono::hours(1));
  for (auto now = begin; now < end && !is_closed(); now = steady_clock::now()) {
    if (now - begin > kSpin) std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(kNap, end - now));
    if (std::byte* room = ring.reserve(size); room != nullptr) return room;
  }
  return nullptr;
}

// In the ledger, so that the daemon is told; what comes later only account() still finds.
void Intake::end(const std::vector<ThreadRings::SlotPtr>& drained) noexcept {
  segment_.header().ended.store(1, std::memory_order_release);
  std::uint64_t taken = 0;
  for (const auto& slot : drained) taken += slot->ring.taken();
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

}  // namespace metricsd::client
