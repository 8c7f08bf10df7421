// What a workload knows of itself, in a file that outlives it: written through a shared mapping, so that
// kill -9 takes nothing of it. The driver (tools/torturing/book.py) reads it with the same layout: all
// numbers are 64 bits, little endian, in this order.
#pragma once

#include <atomic>
#include <cstdint>

namespace metricsd::torture {

inline constexpr std::uint64_t kBookMagic = 0x6b6f6f62'7574726f;  // "ortubook"
inline constexpr std::uint64_t kBookThreads = 32;

// What one thread did. A kill falls between the two: the operation in flight may be recorded or not.
struct BookThread {
  std::atomic<std::uint64_t> begun;
  std::atomic<std::uint64_t> done;
};

struct Book {
  std::uint64_t magic;
  std::uint64_t pid;
  std::atomic<std::uint64_t> finished;  // 1 once finish() has returned, and the rest is written
  // From the client's report: losses by sink, in operations.
  std::uint64_t dropped_ring;
  std::uint64_t dropped_record;
  std::uint64_t dropped_socket;
  std::uint64_t untold_metrics;  // 1 where its own counter was not told to the end
  std::uint64_t threads;
  BookThread thread[kBookThreads];
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace metricsd::torture
