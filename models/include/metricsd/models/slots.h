// Values in numbered slots: they never move, and the slot of one that went is used again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace metricsd {

// One thread.
template <class T>
class Slots {
 public:
  Slots() = default;
  Slots(Slots&& other) noexcept
      : blocks_(std::move(other.blocks_)),
        free_(std::move(other.free_)),
        end_(std::exchange(other.end_, 0)) {}
  Slots& operator=(Slots&&) = delete;
  ~Slots() {
    for (std::uint32_t slot = 0; slot < end_; ++slot) {
      if (holds(slot)) at(slot)->~T();
    }
  }

  // The slot that the next value comes into is one that was used before.
  [[nodiscard]] bool reuses() const { return !free_.empty(); }

  std::uint32_t add(T value) {
    if (free_.empty() && end_ % kBlock == 0) blocks_.push_back(std::make_unique<Block>());
    const std::uint32_t slot = free_.empty() ? end_ : free_.back();
    new (at(slot)) T(std::move(value));
    block(slot).held |= bit(slot);
    if (free_.empty()) {
      ++end_;
    } else {
      free_.pop_back();
    }
    return slot;
  }

  // The slot holds a value.
  void erase(std::uint32_t slot) {
    free_.push_back(slot);
    block(slot).held &= ~bit(slot);
    at(slot)->~T();
  }

  [[nodiscard]] bool holds(std::uint32_t slot) const { return (block(slot).held & bit(slot)) != 0; }
  // The slot holds a value.
  [[nodiscard]] T& operator[](std::uint32_t slot) { return *at(slot); }
  [[nodiscard]] const T& operator[](std::uint32_t slot) const { return *at(slot); }

  // Every slot in use is below.
  [[nodiscard]] std::uint32_t end() const { return end_; }
  [[nodiscard]] std::size_t size() const { return end_ - free_.size(); }

 private:
  static constexpr std::uint32_t kBlock = 16;

  struct Block {
    std::uint32_t held = 0;  // bit by bit
    alignas(T) std::array<std::byte, kBlock * sizeof(T)> values;
  };

  [[nodiscard]] static std::uint32_t bit(std::uint32_t slot) { return std::uint32_t{1} << slot % kBlock; }
  [[nodiscard]] Block& block(std::uint32_t slot) const { return *blocks_[slot / kBlock]; }
  [[nodiscard]] T* at(std::uint32_t slot) const {
    return std::launder(reinterpret_cast<T*>(block(slot).values.data() + slot % kBlock * sizeof(T)));
  }

  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<std::uint32_t> free_;
  std::uint32_t end_ = 0;
};

}  // namespace metricsd
