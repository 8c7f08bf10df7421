// The texts of series' keys, packed: 4 bytes and some rounding beside the text itself, where a string of its
// own would take 40. There are as many of them as series, and each takes part in the memory of one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace metricsd {

// A key where it lies: it does not move while it is in its pool.
class StoredKey {
 public:
  [[nodiscard]] std::string_view text() const {
    return {reinterpret_cast<const char*>(this) + sizeof(StoredKey), size_ & kSize};
  }
  // Whether it is the key of a series that others fold into: such take no place of the cap.
  [[nodiscard]] bool is_overflow() const { return (size_ & kOverflow) != 0; }

 private:
  friend class KeyPool;
  friend class Catalog;

  static constexpr unsigned kOverflow = 0x8000;
  static constexpr unsigned kSize = kOverflow - 1;

  std::uint16_t size_;     // with kOverflow in its highest bit
  std::uint16_t holders_;  // how many shards hold the series: the catalog's, under its lock
};

// One thread at a time; the keys themselves may be read from any while they are there.
class KeyPool {
 public:
  using Id = std::uint32_t;

  // The longest text it takes: the labels of a series as limits.h has them.
  static const std::size_t kMaxSize;

  // `text` is at most kMaxSize long.
  Id add(std::string_view text, bool is_overflow);
  void remove(Id id);

  [[nodiscard]] StoredKey& at(Id id);
  [[nodiscard]] const StoredKey& at(Id id) const;

 private:
  static constexpr std::size_t kUnit = 8;  // bytes
  static constexpr std::size_t kUnitsOfChunk = 2048;
  static constexpr std::size_t kChunk = kUnit * kUnitsOfChunk;
  static constexpr std::size_t kFineUnits =
      32;  // up to here each number of units has a class, then powers of 2
  static constexpr std::size_t kClasses = kFineUnits + 8;
  static constexpr Id kNone = 0xFFFF'FFFF;

  struct Place {
    std::size_t size_class;
    std::size_t units;
  };
  [[nodiscard]] static Place place_for(std::size_t text_size);
  [[nodiscard]] Id take(const Place& place);

  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::size_t used_units_ = kUnitsOfChunk;                   // of the last chunk
  std::vector<Id> free_ = std::vector<Id>(kClasses, kNone);  // heads of lists: a free place names the next
};

}  // namespace metricsd
