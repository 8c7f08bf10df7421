#include "fork_guard.h"

#include "metrics/cells.h"
#include "thread_rings.h"

#include <array>
#include <atomic>
#include <cstddef>

#include <pthread.h>
#include <unistd.h>

namespace metricsd::client::fork_guard {
namespace {

constexpr int kFree = -1;
constexpr std::size_t kSlots = 128;

std::atomic<std::uint64_t> g_generation{0};

struct DescriptorTable {
  DescriptorTable() {
    for (auto& slot : slots) slot.store(kFree, std::memory_order_relaxed);
  }
  std::array<std::atomic<int>, kSlots> slots;
};

DescriptorTable& descriptors() {
  static DescriptorTable table;
  return table;
}

// Runs in the child, where only the forking thread lives: nothing here locks or allocates.
void in_child() {
  g_generation.fetch_add(1, std::memory_order_relaxed);
  t_cached_ring = {};
  t_cells = {};
  for (auto& slot : descriptors().slots) {
    if (const int fd = slot.exchange(kFree); fd != kFree) ::close(fd);
  }
}

}  // namespace

std::uint64_t arm() noexcept {
  static const int registered = [] {
    static_cast<void>(descriptors());
    return ::pthread_atfork(nullptr, nullptr, &in_child);
  }();
  static_cast<void>(registered);
  return generation();
}

std::uint64_t generation() noexcept {
  return g_generation.load(std::memory_order_relaxed);
}

ClosedInChild::ClosedInChild(int fd) noexcept {
  if (fd == kFree) return;
  auto& slots = descriptors().slots;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    int expected = kFree;
    if (!slots[i].compare_exchange_strong(expected, fd)) continue;
    slot_ = static_cast<int>(i);
    return;
  }
}

ClosedInChild::~ClosedInChild() {
  if (slot_ >= 0) descriptors().slots[static_cast<std::size_t>(slot_)].store(kFree);
}

}  // namespace metricsd::client::fork_guard
