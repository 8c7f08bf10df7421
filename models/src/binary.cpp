#include <metricsd/models/binary.h>

#include <bit>

namespace metricsd {
namespace {

template <class T>
void put(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

template <class T>
T get(std::string_view bytes) {
  T value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value |= static_cast<T>(static_cast<T>(static_cast<unsigned char>(bytes[i])) << (8 * i));
  }
  return value;
}

}  // namespace

void ByteWriter::u32(std::uint32_t value) {
  put(out_, value);
}
void ByteWriter::u64(std::uint64_t value) {
  put(out_, value);
}
void ByteWriter::f64(double value) {
  put(out_, std::bit_cast<std::uint64_t>(value));
}

void ByteWriter::text(std::string_view value) {
  u64(value.size());
  out_ += value;
}

std::string_view ByteReader::take(std::size_t size) {
  if (size > bytes_.size()) ok_ = false;
  if (!ok_) return {};
  const std::string_view taken = bytes_.substr(0, size);
  bytes_.remove_prefix(size);
  return taken;
}

std::uint8_t ByteReader::u8() {
  return get<std::uint8_t>(take(1));
}
std::uint32_t ByteReader::u32() {
  return get<std::uint32_t>(take(4));
}
std::uint64_t ByteReader::u64() {
  return get<std::uint64_t>(take(8));
}
double ByteReader::f64() {
  return std::bit_cast<double>(u64());
}

std::string_view ByteReader::text() {
  const std::uint64_t size = u64();
  return take(size);
}

std::size_t ByteReader::count(std::size_t item_size) {
  const std::uint64_t items = u64();
  if (items > bytes_.size() / item_size) ok_ = false;
  return ok_ ? items : 0;
}

}  // namespace metricsd
