// The bytes of saved state: fixed-width little-endian numbers and length-prefixed strings.
//
// The reader takes any bytes: it never reads past its end, and once it has met one thing that cannot be, ok()
// is false and everything read afterwards is zero or empty. A caller checks once, at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace metricsd {

class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  void f64(double value);
  void text(std::string_view value);

 private:
  std::string& out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  double f64();
  std::string_view text();  // a view into the bytes given

  // A count of items of at least `item_size` bytes each: fails where the rest could not hold them.
  std::size_t count(std::size_t item_size);

  void fail() { ok_ = false; }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

 private:
  std::string_view take(std::size_t size);

  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace metricsd
