// Counts of buckets that mostly hold little and mostly lie together, in as few bytes as they can be told in.
//
// One block of memory, column by column: the buckets' indices, ascending, as distances from a base (two bytes
// each, or four where they lie further apart than that); the lowest byte of each count; the rest of the
// counts, as wide (no, one, two, four or eight bytes) as the greatest needs. So counting one more touches the
// rest once in 256 times. Memory comes in steps of a quarter; what is full has no slack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace metricsd {

class StateReader;
class StateWriter;

struct Bucket {
  std::int32_t index = 0;
  std::uint64_t count = 0;

  bool operator==(const Bucket&) const = default;
};

// A plain value; one thread at a time.
class PackedBuckets {
 public:
  PackedBuckets() = default;
  // Indices ascend.
  explicit PackedBuckets(std::span<const Bucket> buckets);
  PackedBuckets(const PackedBuckets& other);
  PackedBuckets(PackedBuckets&& other) noexcept;
  PackedBuckets& operator=(PackedBuckets other) noexcept;
  ~PackedBuckets() = default;

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  // `at` is below size().
  [[nodiscard]] Bucket operator[](std::size_t at) const { return {index_at(at), count_at(at)}; }
  [[nodiscard]] std::vector<Bucket> unpacked() const;

  // Where the bucket is, or belongs.
  [[nodiscard]] std::size_t position_of(std::int32_t index) const;
  [[nodiscard]] bool holds(std::size_t at, std::int32_t index) const {
    return at < size_ && index_at(at) == index;
  }

  // Counts one in the bucket `index` if it stands at `at` and is quickly found there; else says false.
  bool increment(std::size_t at, std::int32_t index) {
    if (at >= size_ || layout_.offset_width != sizeof(std::uint16_t)) return false;
    if (column<std::uint16_t>(0)[at] != distance(index)) return false;
    if (++column<std::uint8_t>(std::size_t{layout_.capacity} * sizeof(std::uint16_t))[at] == 0) [[unlikely]]
      add_to_rest(at, 1);
    return true;
  }
  // `at` is below size().
  void add(std::size_t at, std::uint64_t times);
  // A bucket that is not there yet, where position_of() says. Takes no memory for more than `most` in all,
  // unless there are more.
  void insert(std::size_t at, const Bucket& bucket, std::size_t most);

  // count (1), then of each bucket the distance from the one before, the lowest byte of its count, the rest
  // of it: column by column, each as wide as its greatest needs.
  void save(StateWriter& out) const;
  // Takes any bytes: none, and the reader has failed, where they are not at most `most` buckets, or where
  // their indices do not ascend. Whether there can be such buckets is the caller's question.
  [[nodiscard]] static std::vector<Bucket> load(StateReader& in, std::size_t most);

  // Of the same buckets, however they are packed.
  bool operator==(const PackedBuckets& other) const;

 private:
  struct Layout {
    std::int32_t base = 0;       // at most the least index
    std::uint32_t capacity = 0;  // a multiple of 8, so that every column is aligned
    std::uint8_t offset_width = sizeof(std::uint16_t);
    std::uint8_t rest_width = 0;

    void cover(std::int32_t first, std::int32_t last);
    [[nodiscard]] bool covers(std::int32_t index) const;
    [[nodiscard]] std::size_t low_begin() const { return std::size_t{capacity} * offset_width; }
    [[nodiscard]] std::size_t rest_begin() const { return low_begin() + capacity; }
    [[nodiscard]] std::size_t bytes() const { return rest_begin() + std::size_t{capacity} * rest_width; }
    bool operator==(const Layout&) const = default;
  };

  // Unsigned, so that it wraps: different for different indices, and ascending with what the layout covers.
  [[nodiscard]] std::uint32_t distance(std::int32_t index) const {
    return static_cast<std::uint32_t>(index) - static_cast<std::uint32_t>(layout_.base);
  }
  [[nodiscard]] std::int32_t index_of(std::uint32_t distance) const {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(layout_.base) + distance);
  }
  template <class T>
  [[nodiscard]] T* column(std::size_t begin) const {
    return reinterpret_cast<T*>(memory_.get() + begin);
  }
  template <class Visit>
  void with_offsets(const Visit& visit) const;
  template <class Visit>
  void with_rest(const Visit& visit) const;
  [[nodiscard]] std::int32_t index_at(std::size_t at) const;
  [[nodiscard]] std::uint64_t count_at(std::size_t at) const;
  void add_to_rest(std::size_t at, std::uint64_t more);
  [[nodiscard]] std::uint32_t grown_capacity(std::size_t most) const;
  void pack(const Layout& layout, std::span<const Bucket> buckets);
  void open_gap(std::size_t begin, std::size_t width, std::size_t at);

  std::unique_ptr<std::byte[]> memory_;  // null: nothing was ever counted
  Layout layout_;
  std::uint32_t size_ = 0;
};

}  // namespace metricsd
