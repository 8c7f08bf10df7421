// The bytes of saved state, read:
//
//   u64    = *( byte >= 128 ) byte < 128   7 bits each, the lowest first; at most 64 bits in all
//   i64    = u64, 2 n for n >= 0 and -2 n - 1 for n < 0
//   u128   = u64 u64                       the low half first
//   fixed  = 1, 2, 4 or 8 bytes, the lowest first; f64 = the 8 bytes of an IEEE 754 double
//   short  = u64, the 8 bytes of a double in reverse order: its zeros come last and are left out
//   text   = u64 *byte                     as many as it says
//
// The reader takes any bytes. It never reads past their end, and once it has met one thing that cannot be it
// has failed() for good: all that is read afterwards is zero or empty. So a caller asks once, at the end, or
// before what it read is used to reserve or to find something.
#pragma once

#include <metricsd/models/decimal.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace metricsd {

// One thread. What it gives as a view lies in the bytes it was given.
class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint8_t u8() { return fixed<std::uint8_t>(); }
  std::uint64_t u64() {
    if (!bytes_.empty() && static_cast<unsigned char>(bytes_.front()) < kMore) [[likely]] {
      return fixed<std::uint8_t>();
    }
    return long_u64();
  }
  // The same, where more than `most` cannot be.
  std::uint64_t u64(std::uint64_t most);
  std::int64_t i64();
  Uint128 u128();
  std::uint32_t fixed32() { return fixed<std::uint32_t>(); }
  std::uint64_t fixed64() { return fixed<std::uint64_t>(); }
  double f64() { return std::bit_cast<double>(fixed64()); }
  double short_f64() { return std::bit_cast<double>(__builtin_bswap64(u64())); }
  // Fails where it is longer than `most`.
  std::string_view text(std::size_t most);

  // How many items follow, each of at least `least_bytes` bytes: at most `most`, and at most what the bytes
  // left can hold. So what is reserved for them is bounded by what has come.
  std::size_t count(std::size_t most, std::size_t least_bytes);
  // As many numbers of one width as there is room for; none where there are fewer.
  template <class T>
  void column(std::span<T> values);

  // What was read cannot be.
  void fail() {
    failed_ = true;
    bytes_ = {};
  }
  [[nodiscard]] bool failed() const { return failed_; }
  // Nothing is left; true of a reader that failed.
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

 private:
  static constexpr unsigned kMore = 0x80;  // of a byte: another follows

  std::uint64_t long_u64();

  std::string_view take(std::size_t size) {
    if (size > bytes_.size()) [[unlikely]] {
      fail();
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  template <class T>
  static T number_at(const char* bytes) {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      value = static_cast<T>(value | static_cast<T>(T{static_cast<unsigned char>(bytes[i])} << (8 * i)));
    }
    return value;
  }
  template <class T>
  T fixed() {
    const std::string_view taken = take(sizeof(T));
    return taken.empty() ? T{0} : number_at<T>(taken.data());
  }

  std::string_view bytes_;
  bool failed_ = false;
};

template <class T>
void StateReader::column(std::span<T> values) {
  const std::string_view taken = take(values.size_bytes());
  if (taken.empty()) return;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(values.data(), taken.data(), taken.size());
  } else {
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = number_at<T>(taken.data() + i * sizeof(T));
    }
  }
}

}  // namespace metricsd
