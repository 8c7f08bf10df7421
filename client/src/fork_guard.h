// What a forked child must know: that it is one, and which descriptors are none of its business.
#pragma once

#include <cstdint>

namespace metricsd::client::fork_guard {

// Grows in each forked child, so that a collector sees that it was inherited. The first call arms the
// counting.
[[nodiscard]] std::uint64_t arm() noexcept;
// Of an armed guard; one load.
[[nodiscard]] std::uint64_t generation() noexcept;

// For its life a forked child finds `fd` closed. A child that kept the connection of its parent would keep
// the parent alive in the daemon's eyes. Where the table is full the child keeps it: late, not wrong.
class ClosedInChild {
 public:
  explicit ClosedInChild(int fd) noexcept;
  ClosedInChild(const ClosedInChild&) = delete;
  ClosedInChild& operator=(const ClosedInChild&) = delete;
  // Before the descriptor is closed.
  ~ClosedInChild();

 private:
  int slot_ = -1;
};

}  // namespace metricsd::client::fork_guard
