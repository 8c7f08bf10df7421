#include <metricsd/models/state/state_reader.h>

#include <algorithm>

namespace metricsd {

std::uint64_t StateReader::long_u64() {
  constexpr unsigned kLastShift = 63;
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift <= kLastShift; shift += 7) {
    const std::uint64_t byte = u8();
    if (failed_) return 0;
    if (shift == kLastShift && byte > 1) break;  // more than 64 bits
    value |= (byte & (kMore - 1)) << shift;
    if (byte < kMore) return value;
  }
  fail();
  return 0;
}

std::uint64_t StateReader::u64(std::uint64_t most) {
  const std::uint64_t value = u64();
  if (value <= most) return value;
  fail();
  return 0;
}

std::int64_t StateReader::i64() {
  const std::uint64_t value = u64();
  return static_cast<std::int64_t>(value >> 1 ^ (value & 1 ? ~std::uint64_t{0} : 0));
}

Uint128 StateReader::u128() {
  const std::uint64_t low = u64();
  const std::uint64_t high = u64();
  return failed_ ? 0 : Uint128{high} << 64 | low;
}

std::string_view StateReader::text(std::size_t most) {
  return take(u64(most));
}

std::size_t StateReader::count(std::size_t most, std::size_t least_bytes) {
  const std::uint64_t items = u64(most);
  if (items <= bytes_.size() / std::max<std::size_t>(least_bytes, 1)) return items;
  fail();
  return 0;
}

}  // namespace metricsd
