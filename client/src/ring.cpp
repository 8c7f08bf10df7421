#include "ring.h"

#include <algorithm>
#include <bit>

#include <sys/mman.h>

namespace metricsd::client {
namespace {

// Of Linux 5.14; headers may be older.
constexpr int kPopulateForWriting = 23;  // MADV_POPULATE_WRITE

}  // namespace

Ring::Ring(Segment& segment, std::uint32_t stream, std::size_t capacity)
    : data_(nullptr), block_(nullptr), capacity_(std::max(std::bit_ceil(capacity), Segment::page_bytes())) {
  mapping_ = segment.add_ring(stream, capacity_);
  block_ = reinterpret_cast<ipc::RingBlock*>(mapping_.address());
  data_ = mapping_.address() + Segment::page_bytes();
}

void Ring::populate() noexcept {
  const std::size_t page = Segment::page_bytes();
  if (::madvise(mapping_.address(), page + 2 * capacity_, kPopulateForWriting) == 0) return;
  for (std::size_t at = 0; at < 2 * capacity_; at += page) {
    static_cast<volatile std::byte*>(data_)[at] = std::byte{0};
  }
}

std::span<const std::byte> Ring::readable() const noexcept {
  const std::uint64_t head = block_->head.load(std::memory_order_acquire);
  return {data_ + (position_.taken_to & (capacity_ - 1)), head - position_.taken_to};
}

void Ring::take(std::size_t bytes, std::uint64_t records, std::uint64_t sequenced) noexcept {
  position_.taken_to += bytes;
  position_.taken += records;
  position_.sequence += sequenced;
  publish_position();
}

void Ring::release() noexcept {
  if (position_.written_to == position_.taken_to) return;
  position_.written_to = position_.taken_to;
  position_.written = position_.taken;
  publish_position();
  block_->tail.store(position_.written_to, std::memory_order_release);
}

void Ring::publish_position() noexcept {
  const std::uint32_t next = 1 - block_->current.load(std::memory_order_relaxed);
  block_->positions[next & 1] = position_;
  block_->current.store(next & 1, std::memory_order_release);
}

}  // namespace metricsd::client
