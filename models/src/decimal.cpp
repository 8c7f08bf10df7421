#include <metricsd/models/decimal.h>
#include <metricsd/models/digit_run.h>
#include <metricsd/models/limits.h>
#include <metricsd/models/timestamp.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>

namespace metricsd {
namespace {

__extension__ using Int128 = __int128;

// A JSON number taken apart: digits without the point, and the power of ten of the last of them.
struct DecimalParts {
  std::uint64_t digits = 0;   // the first 19 significant ones: all that 1e15 ns and its rounding can need
  std::int64_t exponent = 0;  // value = digits * 10^exponent (and a little, where digits were cut)
  bool negative = false;
  bool cut = false;  // whether a digit that is not 0 was cut
};

constexpr std::int64_t kExponentCap = 100'000;  // far beyond what matters, far below overflow

std::int64_t parse_exponent(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  std::int64_t value = 0;
  for (const char c : text) value = std::min(value * 10 + (c - '0'), kExponentCap);
  return negative ? -value : value;
}

DecimalParts take_apart(std::string_view number) {
  DecimalParts parts;
  if (!number.empty() && number.front() == '-') {
    parts.negative = true;
    number.remove_prefix(1);
  }
  const std::size_t e = number.find_first_of("eE");
  if (e != std::string_view::npos) {
    parts.exponent = parse_exponent(number.substr(e + 1));
    number = number.substr(0, e);
  }
  constexpr std::uint64_t kFull = 1'000'000'000'000'000'000;
  bool behind_point = false;
  for (const char c : number) {
    if (c == '.') {
      behind_point = true;
    } else if (parts.digits < kFull) {
      parts.digits = parts.digits * 10 + static_cast<unsigned>(c - '0');
      parts.exponent -= behind_point ? 1 : 0;
    } else {
      parts.exponent += behind_point ? 0 : 1;
      parts.cut = parts.cut || c != '0';
    }
  }
  return parts;
}

int bit_width(Uint128 value) {
  const auto high = static_cast<std::uint64_t>(value >> 64);
  const auto low = static_cast<std::uint64_t>(value);
  return static_cast<int>(high != 0 ? 64 + std::bit_width(high) : std::bit_width(low));
}

}  // namespace

Result<std::int64_t> milliseconds_to_ns(std::string_view number) {
  const DecimalParts parts = take_apart(number);
  if (parts.digits == 0) return 0;  // -0 is 0
  if (parts.negative) return Errc::out_of_range;

  const std::int64_t exponent = parts.exponent + 6;  // milliseconds to nanoseconds
  std::uint64_t ns = parts.digits;
  if (exponent > 0) {
    for (std::int64_t i = 0; i < exponent; ++i) {
      if (ns > static_cast<std::uint64_t>(limits::kDurationNs)) return Errc::out_of_range;
      ns *= 10;
    }
  } else if (exponent < 0) {
    for (std::int64_t i = exponent; i < -1 && ns != 0; ++i) ns /= 10;
    ns = ns / 10 + (ns % 10 >= 5 ? 1 : 0);  // the last digit cut decides
  }
  if (ns > static_cast<std::uint64_t>(limits::kDurationNs)) return Errc::out_of_range;
  return static_cast<std::int64_t>(ns);
}

Result<std::uint64_t> whole_number(std::string_view number, std::uint64_t max) {
  DecimalParts parts = take_apart(number);
  if (parts.digits == 0) return 0;
  if (parts.negative || parts.cut) return Errc::out_of_range;
  for (; parts.exponent < 0; ++parts.exponent, parts.digits /= 10) {
    if (parts.digits % 10 != 0) return Errc::out_of_range;
  }
  for (; parts.exponent > 0; --parts.exponent, parts.digits *= 10) {
    if (parts.digits > max / 10) return Errc::out_of_range;
  }
  if (parts.digits > max) return Errc::out_of_range;
  return parts.digits;
}

char* write_ns_as_milliseconds(char* out, std::int64_t ns) {
  auto rest = static_cast<std::uint64_t>(ns);
  if (ns < 0) {
    *out++ = '-';
    rest = -rest;
  }
  out = std::to_chars(out, out + kMillisecondsSize, rest / kNsPerMs).ptr;
  std::uint64_t fraction = rest % kNsPerMs;
  if (fraction == 0) return out;
  *out = '.';
  for (int place = 6; place > 0; --place, fraction /= 10) out[place] = static_cast<char>('0' + fraction % 10);
  out += 6;
  while (*out == '0') --out;
  return out + 1;
}

void append_ns_as_milliseconds(std::string& out, std::int64_t ns) {
  std::array<char, kMillisecondsSize> text;
  const char* const end = write_ns_as_milliseconds(text.data(), ns);
  out.append(text.data(), static_cast<std::size_t>(end - text.data()));
}

double ratio(Uint128 numerator, Uint128 denominator) {
  if (numerator == 0) return 0;
  // Scaled so that the quotient has 55 or 56 bits; with a sticky bit for the remainder that is all that
  // rounding to 53 needs.
  const int shift = 55 + bit_width(denominator) - bit_width(numerator);
  if (shift >= 0) {
    numerator <<= shift;
  } else {
    denominator <<= -shift;
  }
  auto quotient = static_cast<std::uint64_t>(numerator / denominator);
  if (numerator % denominator != 0) quotient |= 1;
  return std::ldexp(static_cast<double>(quotient), -shift);
}

// Divides as doubles, which is at most a few units in the last place off; by how much can be said exactly in
// 128 bits, and then mended.
double decimal_fraction(std::uint64_t digits, unsigned places) {
  const std::uint64_t divisor = kPowersOfTen[places];  // each is a double exactly
  const double guess = static_cast<double>(digits) / static_cast<double>(divisor);
  if (digits <= (std::uint64_t{1} << 53) || places == 0) return guess;  // rounded once only

  constexpr std::uint64_t kTop = std::uint64_t{1} << 52;
  const auto bits = std::bit_cast<std::uint64_t>(guess);
  const std::uint64_t mantissa = (bits & (kTop - 1)) | kTop;
  const int exponent = static_cast<int>(bits >> 52) - 1075;  // guess = mantissa * 2^exponent
  if (exponent >= 0) return ratio(digits, divisor);
  // What is missing to the true quotient, in units of which the last place has 2 * divisor.
  const auto half_place = static_cast<Int128>(divisor);
  Int128 missing = static_cast<Int128>(Uint128{digits} << (1 - exponent)) - Int128{mantissa} * 2 * half_place;
  const int mend = static_cast<int>(missing > half_place) - static_cast<int>(missing < -half_place);
  missing -= mend * 2 * half_place;
  const bool sure = missing < half_place && missing > -half_place && mantissa > kTop;
  if (!sure) [[unlikely]]
    return ratio(digits, divisor);  // a tie, or next to a power of two
  return std::bit_cast<double>(bits + static_cast<std::uint64_t>(mend));
}

void append_double(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    out.append(text.data(), static_cast<std::size_t>(end - text.data()));
  }
}

void append_integer(std::string& out, std::uint64_t value) {
  std::array<char, 20> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), static_cast<std::size_t>(end - text.data()));
}

}  // namespace metricsd
