#include "ring.h"

#include <bit>
#include <cstring>

namespace metricsd::client {

struct Ring::Frame {
  std::uint32_t payload = 0;
  std::uint32_t is_gap = 0;
};

namespace {

constexpr std::size_t kAlignment = 8;

constexpr std::size_t aligned(std::size_t size) {
  return (size + kAlignment - 1) & ~(kAlignment - 1);
}

}  // namespace

static_assert(sizeof(std::uint64_t) == kAlignment);

Ring::Ring(std::size_t capacity)
    : capacity_(std::bit_ceil(capacity)), data_(std::make_unique_for_overwrite<std::byte[]>(capacity_)) {
  static_assert(sizeof(Frame) == kAlignment, "a gap's frame fits wherever an entry may end");
}

void Ring::populate() noexcept {
  std::memset(data_.get(), 0, capacity_);
}

void Ring::write_frame(std::size_t offset, Frame frame) noexcept {
  std::memcpy(data_.get() + offset, &frame, sizeof frame);
}

Ring::Frame Ring::frame_at(std::size_t offset) const noexcept {
  Frame frame;
  std::memcpy(&frame, data_.get() + offset, sizeof frame);
  return frame;
}

std::byte* Ring::reserve(std::size_t payload) noexcept {
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  const std::size_t size = sizeof(Frame) + aligned(payload);
  const std::size_t offset = head & (capacity_ - 1);
  const std::size_t to_end = capacity_ - offset;
  const std::size_t gap = size <= to_end ? 0 : to_end;
  const std::uint64_t end = head + gap + size;
  if (end - known_tail_ > capacity_) {
    known_tail_ = tail_.load(std::memory_order_acquire);
    if (end - known_tail_ > capacity_) return nullptr;
  }
  if (gap != 0) write_frame(offset, {static_cast<std::uint32_t>(gap - sizeof(Frame)), 1});
  const std::size_t place = gap == 0 ? offset : 0;
  write_frame(place, {static_cast<std::uint32_t>(payload), 0});
  reserved_head_ = end;
  return data_.get() + place + sizeof(Frame);
}

void Ring::commit() noexcept {
  // Before head_, so that who sees the entry sees it counted.
  committed_.store(committed_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  head_.store(reserved_head_, std::memory_order_release);
}

std::span<const std::byte> Ring::front() noexcept {
  std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  while (true) {
    if (tail == known_head_) {
      known_head_ = head_.load(std::memory_order_acquire);
      if (tail == known_head_) return {};
    }
    const std::size_t offset = tail & (capacity_ - 1);
    const Frame frame = frame_at(offset);
    if (frame.is_gap == 0) return {data_.get() + offset + sizeof(Frame), frame.payload};
    tail += sizeof(Frame) + frame.payload;
    tail_.store(tail, std::memory_order_release);
  }
}

void Ring::pop() noexcept {
  const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  const Frame frame = frame_at(tail & (capacity_ - 1));
  ++popped_;
  tail_.store(tail + sizeof(Frame) + aligned(frame.payload), std::memory_order_release);
}

}  // namespace metricsd::client
