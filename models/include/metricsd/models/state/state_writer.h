// The bytes of saved state, written: small numbers take one byte, texts and columns their size and
// themselves. What a value means, and which comes next, is known to who reads them; where they are kept they
// are framed, checked and versioned by others. StateReader has the grammar.
#pragma once

#include <metricsd/models/decimal.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace metricsd {

// Appends; one thread.
class StateWriter {
 public:
  // `out` outlives the writer.
  explicit StateWriter(std::string& out) : out_(out) {}

  void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  // 7 bits a byte, the lowest first (LEB128): 1 byte below 128, 10 for the greatest.
  void u64(std::uint64_t value) {
    if (value < kMore) {
      u8(static_cast<std::uint8_t>(value));
    } else {
      long_u64(value);
    }
  }
  // Near 0 is short, whatever the sign.
  void i64(std::int64_t value) { u64(static_cast<std::uint64_t>(value) << 1 ^ sign_of(value)); }
  void u128(Uint128 value);
  // Of what is not small, or does not get smaller: 4 and 8 bytes, the lowest first.
  void fixed32(std::uint32_t value) { fixed(value); }
  void fixed64(std::uint64_t value) { fixed(value); }
  void f64(double value) { fixed(std::bit_cast<std::uint64_t>(value)); }
  // A double that often is 0, or small and whole: then it takes one to four bytes, at most ten.
  void short_f64(double value) { u64(__builtin_bswap64(std::bit_cast<std::uint64_t>(value))); }
  void text(std::string_view value) {
    u64(value.size());
    out_ += value;
  }

  // As they are, without their size.
  void bytes(std::string_view value) { out_ += value; }
  // Numbers of one width, without their count.
  template <class T>
  void column(std::span<const T> values) {
    if constexpr (std::endian::native == std::endian::little) {
      out_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    } else {
      for (const T value : values) fixed(value);
    }
  }

  // Bytes there are in all.
  [[nodiscard]] std::size_t size() const { return out_.size(); }

 private:
  static constexpr std::uint64_t kMore = 0x80;  // of a byte: another follows

  static std::uint64_t sign_of(std::int64_t value) { return value < 0 ? ~std::uint64_t{0} : 0; }
  void long_u64(std::uint64_t value);

  template <class T>
  void fixed(T value) {
    char bytes[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes[i] = static_cast<char>(value >> (8 * i) & 0xFF);
    out_.append(bytes, sizeof(T));
  }

  std::string& out_;
};

}  // namespace metricsd
