// A single-producer, single-consumer queue of records in a block of a segment (ipc/segment_layout.h).
//
// The bytes are mapped twice, back to back: a record that begins before the end simply goes on behind it.
// Full means that the newest record is refused. What is taken stays where it is until it is released. Two
// threads: one calls reserve() and commit(), the other the rest. Handing the producer's side to another
// thread needs a release by the first and an acquire by the next.
#pragma once

#include "segment.h"

#include <metricsd/ipc/segment_layout.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace metricsd::client {

class Ring {
 public:
  // `capacity`, rounded up to a power of two and at least a page. Throws std::bad_alloc.
  Ring(Segment& segment, std::uint32_t stream, std::size_t capacity);
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // Producer, before the first record: has the system map all of the memory now, not page by page while
  // records are written.
  void populate() noexcept;

  // Producer: room for `size` bytes, a multiple of 8, or null where there is none now. The next reserve()
  // forgets what was not committed. Written so that both fold into a few instructions in their caller.
  [[nodiscard]] std::byte* reserve(std::size_t size) noexcept {
    const std::uint64_t head = block_->head.load(std::memory_order_relaxed);
    if (head + size - known_tail_ > capacity_) [[unlikely]] {
      known_tail_ = block_->tail.load(std::memory_order_acquire);
      if (head + size - known_tail_ > capacity_) return nullptr;
    }
    return data_ + (head & (capacity_ - 1));
  }
  // Producer: shows the record of `size` bytes at `record`, reserved last, to the consumer.
  void commit(const std::byte* record, std::size_t size) noexcept {
    // Before the head, so that who sees the record sees it counted. One writer: no read-modify-write.
    block_->committed.store(block_->committed.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    block_->head.store(block_->head.load(std::memory_order_relaxed) + size, std::memory_order_release);
    // The lines of records to come were last read by the consumer, or are in no cache at all: have them back
    // before they are written. As many as this record took; of a large one the processor sees the rest
    // coming.
    for (std::size_t at = 0; at < size && at < kPrefetchMost; at += kLine) {
      __builtin_prefetch(record + kPrefetchAhead + at, 1);
    }
  }

  // Consumer: all that is committed and not taken, the oldest first. Stays until it is taken and released.
  [[nodiscard]] std::span<const std::byte> readable() const noexcept;
  // Consumer: the first `bytes` of readable(), `records` of them, stand in the queue or were counted as lost;
  // `sequenced` of those have a number on the wire.
  void take(std::size_t bytes, std::uint64_t records, std::uint64_t sequenced) noexcept;
  // Consumer: what was taken is in the run's files, too, or will never be: its room is the producer's again.
  void release() noexcept;
  // Consumer: what was taken and not released.
  [[nodiscard]] std::size_t unreleased_bytes() const noexcept {
    return position_.taken_to - position_.written_to;
  }

  // Records committed so far: the ordinal of the latest. Any thread.
  [[nodiscard]] std::uint64_t committed() const noexcept {
    return block_->committed.load(std::memory_order_relaxed);
  }
  // Records taken so far. Consumer.
  [[nodiscard]] std::uint64_t taken() const noexcept { return position_.taken; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::uint32_t stream() const noexcept { return block_->block.number; }

 private:
  static constexpr std::size_t kPrefetchAhead = 2048;  // what is written while a line comes from another core
  static constexpr std::size_t kPrefetchMost = 256;
  static constexpr std::size_t kLine = 64;

  void publish_position() noexcept;

  // What the producer reads and writes with each record, in one line of its own.
  alignas(ipc::kSegmentAlignment) std::byte* data_;
  ipc::RingBlock* block_;
  std::size_t capacity_;
  std::uint64_t known_tail_ = 0;  // the tail as last looked at: saves a shared cache line most of the time

  alignas(ipc::kSegmentAlignment) ipc::RingPosition position_{};  // the consumer's
  SegmentMapping mapping_;
};

}  // namespace metricsd::client
