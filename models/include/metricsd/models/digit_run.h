// Digits one by one, and eight at a time: arithmetic within one word, a digit a byte, the first digit lowest.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace metricsd {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

inline constexpr std::size_t kWord = sizeof(std::uint64_t);

// Eight bytes as a number, the first one lowest.
inline std::uint64_t load_word(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, kWord);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

// The same of a literal.
constexpr std::uint64_t word_of(std::string_view eight_bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = kWord; i > 0; --i) word = word << 8 | static_cast<unsigned char>(eight_bytes[i - 1]);
  return word;
}

// The number that eight bytes of 0 to 9 say.
constexpr std::uint64_t eight_digits(std::uint64_t digits) {
  constexpr std::uint64_t kPairs = 0x000000FF000000FF;
  digits = digits * 10 + (digits >> 8);
  const std::uint64_t high = (digits & kPairs) * (100 + (std::uint64_t{1'000'000} << 32));
  const std::uint64_t low = ((digits >> 16) & kPairs) * (1 + (std::uint64_t{10'000} << 32));
  return (high + low) >> 32;
}

// 10^0 to 10^19: all that fit into 64 bits.
inline constexpr auto kPowersOfTen = [] {
  std::array<std::uint64_t, 20> powers{};
  std::uint64_t power = 1;
  for (auto& each : powers) {
    each = power;
    power *= 10;
  }
  return powers;
}();

// At most eight digits that stand at the front of eight characters.
class DigitRun {
 public:
  explicit DigitRun(std::uint64_t characters) : digits_(characters ^ word_of("00000000")) {
    // The top bit of each byte above 9: right up to and with the lowest of them, which is all that counts.
    const std::uint64_t others = ((digits_ + 0x7676767676767676) | digits_) & 0x8080808080808080;
    bits_ = static_cast<unsigned>(std::countr_zero(others)) & ~7U;
  }

  [[nodiscard]] std::size_t size() const { return bits_ / 8; }
  [[nodiscard]] bool is_full() const { return bits_ == 8 * kWord; }
  // As a whole number. Not of an empty run.
  [[nodiscard]] std::uint64_t value() const { return eight_digits(digits_ << (64 - bits_)); }
  // As if zeros behind it filled it up to eight digits. Not of an empty run.
  [[nodiscard]] std::uint64_t filled_value() const {
    return eight_digits((digits_ << (64 - bits_)) >> (64 - bits_));
  }

 private:
  std::uint64_t digits_;  // and, above them, what stood behind them
  unsigned bits_;         // that the digits take
};

}  // namespace metricsd
