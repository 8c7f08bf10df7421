#include <metricsd/models/state/state_writer.h>

namespace metricsd {

void StateWriter::long_u64(std::uint64_t value) {
  char bytes[10];
  std::size_t size = 0;
  for (; value >= kMore; value >>= 7) bytes[size++] = static_cast<char>(value | kMore);
  bytes[size++] = static_cast<char>(value);
  out_.append(bytes, size);
}

void StateWriter::u128(Uint128 value) {
  u64(static_cast<std::uint64_t>(value));
  u64(static_cast<std::uint64_t>(value >> 64));
}

}  // namespace metricsd
