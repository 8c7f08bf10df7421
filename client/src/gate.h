// What record() looks at first, and the only thing where all is well: is this collector's intake open, in
// this process, and does the calling thread's cached ring belong to it?
//
// One comparison answers all of it. A gate's ticket is a number that no other gate of the process ever has,
// or 0 while it is shut; a thread keeps the ticket with the ring that it got for it. Whatever changes that
// answer changes the ticket: closing sets it to 0, and a forked child finds 0 in it, because the system wipes
// the gate's page there (MADV_WIPEONFORK) and the fork handler wipes the forking thread's cache where it does
// not.
#pragma once

#include <atomic>
#include <cstdint>

namespace metricsd::client {

class Intake;

struct Gate {
  std::atomic<std::uint64_t> ticket{0};
  Intake* intake = nullptr;  // null in a forked child, and where there never was one

  // What a handle without a collector goes by: shut for ever.
  static const Gate& nowhere() noexcept;
};

// A gate in a page of its own.
class GatePage {
 public:
  // Throws std::bad_alloc.
  explicit GatePage(Intake& intake);
  GatePage(const GatePage&) = delete;
  GatePage& operator=(const GatePage&) = delete;
  ~GatePage();

  [[nodiscard]] Gate& gate() noexcept { return *gate_; }

 private:
  Gate* gate_;
};

}  // namespace metricsd::client
