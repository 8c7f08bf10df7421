// A single-producer, single-consumer queue of byte entries in one block of memory.
//
// Positions are byte counts that only grow; position & (capacity - 1) is the place. An entry is a frame of 8
// bytes (payload size, whether it is an entry or a gap) and its payload, padded to 8. An entry never wraps:
// where the block's end is too near, a gap fills it. Full means that the newest entry is refused. Two
// threads: one calls reserve() and commit(), the other front() and pop(). Handing the producer's side to
// another thread needs a release by the first and an acquire by the next.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace metricsd::client {

class Ring {
 public:
  // `capacity`, rounded up to a power of two. Throws std::bad_alloc.
  explicit Ring(std::size_t capacity);
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // Producer, before the first entry: has the system give all of the memory now, not page by page while
  // entries are written.
  void populate() noexcept;
  // Producer: room for `payload` bytes, 8-aligned, or null where there is none now. The next reserve()
  // forgets what was not committed. An entry of more than half the capacity may never fit.
  [[nodiscard]] std::byte* reserve(std::size_t payload) noexcept;
  // Producer: shows what reserve() gave last to the consumer.
  void commit() noexcept;

  // Consumer: the oldest entry, empty where there is none. Stays until pop().
  [[nodiscard]] std::span<const std::byte> front() noexcept;
  void pop() noexcept;

  // Entries committed so far: the ordinal of the latest. Any thread.
  [[nodiscard]] std::uint64_t committed() const noexcept {
    return committed_.load(std::memory_order_relaxed);
  }
  // Entries popped so far. Consumer.
  [[nodiscard]] std::uint64_t popped() const noexcept { return popped_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  struct Frame;
  static constexpr std::size_t kCacheLine = 64;

  void write_frame(std::size_t offset, Frame frame) noexcept;
  [[nodiscard]] Frame frame_at(std::size_t offset) const noexcept;

  const std::size_t capacity_;
  const std::unique_ptr<std::byte[]> data_;

  // The producer's line, the consumer's line: neither writes the other's.
  alignas(kCacheLine) std::atomic<std::uint64_t> head_{0};
  std::atomic<std::uint64_t> committed_{0};
  std::uint64_t reserved_head_ = 0;
  std::uint64_t known_tail_ = 0;  // tail_ as last looked at: saves a shared cache line most of the time

  alignas(kCacheLine) std::atomic<std::uint64_t> tail_{0};
  std::uint64_t known_head_ = 0;
  std::uint64_t popped_ = 0;
};

}  // namespace metricsd::client
