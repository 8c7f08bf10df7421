#include "saved.h"

#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

// Writes by `write` what is to be read by others.
template <class Write>
std::string written(const Write& write) {
  std::string bytes;
  StateWriter writer(bytes);
  write(writer);
  return bytes;
}

TEST(StateBytes, NumbersComeBack) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    for (const std::uint64_t value : {power - 1, power, power + 1, kMost - power}) {
      const auto signed_value = static_cast<std::int64_t>(value);
      const Uint128 wide = Uint128{value} << 64 | ~value;
      const std::string bytes = written([&](StateWriter& out) {
        out.u64(value);
        out.i64(signed_value);
        out.i64(-(signed_value >> 1));
        out.u128(wide);
        out.fixed32(static_cast<std::uint32_t>(value));
        out.fixed64(value);
        out.f64(std::bit_cast<double>(value));
        out.short_f64(std::bit_cast<double>(value));
      });
      StateReader in(bytes);
      EXPECT_EQ(in.u64(), value);
      EXPECT_EQ(in.i64(), signed_value);
      EXPECT_EQ(in.i64(), -(signed_value >> 1));
      EXPECT_TRUE(in.u128() == wide);
      EXPECT_EQ(in.fixed32(), static_cast<std::uint32_t>(value));
      EXPECT_EQ(in.fixed64(), value);
      EXPECT_EQ(std::bit_cast<std::uint64_t>(in.f64()), value);
      EXPECT_EQ(std::bit_cast<std::uint64_t>(in.short_f64()), value);
      EXPECT_TRUE(in.at_end());
      EXPECT_FALSE(in.failed());
    }
  }
}

TEST(StateBytes, WhatIsSmallIsShort) {
  const auto size = [](const auto& write) { return written(write).size(); };
  EXPECT_EQ(size([](StateWriter& out) { out.u64(127); }), 1U);
  EXPECT_EQ(size([](StateWriter& out) { out.u64(128); }), 2U);
  EXPECT_EQ(size([](StateWriter& out) { out.u64(kMost); }), 10U);
  EXPECT_EQ(size([](StateWriter& out) { out.i64(-64); }), 1U);
  EXPECT_EQ(size([](StateWriter& out) { out.short_f64(0); }), 1U);
  EXPECT_EQ(size([](StateWriter& out) { out.short_f64(0.5); }), 3U);
}

// The form is kept on disk: it is the same on every machine and in every version.
TEST(StateBytes, TheFormIsAsTheHeaderHasIt) {
  const std::array<std::uint16_t, 2> column{0x0102, 0x0304};
  const std::string bytes = written([&](StateWriter& out) {
    out.u64(300);
    out.i64(-2);
    out.fixed32(0x0A0B0C0D);
    out.f64(1);
    out.short_f64(1);
    out.text("ab");
    out.column(std::span<const std::uint16_t>(column));
  });
  EXPECT_EQ(bytes, std::string("\xAC\x02"
                               "\x03"
                               "\x0D\x0C\x0B\x0A"
                               "\0\0\0\0\0\0\xF0\x3F"
                               "\xBF\xE0\x03"
                               "\x02"
                               "ab"
                               "\x02\x01\x04\x03",
                               2 + 1 + 4 + 8 + 3 + 3 + 4));
}

TEST(StateBytes, TextsAndColumnsComeBack) {
  const std::vector<std::uint32_t> column{1, kMost & 0xFFFF'FFFF, 3};
  const std::string bytes = written([&](StateWriter& out) {
    out.text("");
    out.text("one\0two");
    out.u64(column.size());
    out.column(std::span<const std::uint32_t>(column));
  });
  StateReader in(bytes);
  EXPECT_EQ(in.text(0), "");
  EXPECT_EQ(in.text(10), "one\0two");
  std::vector<std::uint32_t> read(in.count(3, sizeof(std::uint32_t)));
  in.column(std::span(read));
  EXPECT_EQ(read, column);
  EXPECT_TRUE(in.at_end());
  EXPECT_FALSE(in.failed());
}

TEST(StateBytes, WhatFailedGivesNothingMore) {
  const std::string bytes = written([](StateWriter& out) {
    out.text("long");
    out.u64(7);
  });
  StateReader in(bytes);
  EXPECT_EQ(in.text(3), "");
  EXPECT_TRUE(in.failed());
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(in.u8(), 0);
  EXPECT_EQ(in.u64(), 0U);
  EXPECT_EQ(in.i64(), 0);
  EXPECT_EQ(in.f64(), 0);
  EXPECT_EQ(in.text(10), "");
  EXPECT_EQ(in.count(10, 1), 0U);
}

TEST(StateBytes, ACountIsNoMoreThanCanFollow) {
  const auto counted = [](std::uint64_t count, std::size_t bytes, std::size_t most, std::size_t least) {
    const std::string all = written([&](StateWriter& out) { out.u64(count); }) + std::string(bytes, 'x');
    StateReader in(all);
    const std::size_t read = in.count(most, least);
    return in.failed() ? -1 : static_cast<int>(read);
  };
  EXPECT_EQ(counted(3, 24, 10, 8), 3);
  EXPECT_EQ(counted(3, 23, 10, 8), -1);
  EXPECT_EQ(counted(3, 24, 2, 8), -1);
  EXPECT_EQ(counted(kMost, 24, kMost, 1), -1);
  EXPECT_EQ(counted(kMost / 8 + 1, 24, kMost, 8), -1) << "a product that wraps";
  EXPECT_EQ(counted(0, 0, 10, 8), 0);
}

TEST(StateBytes, NoNumberHasMoreThan64Bits) {
  const auto is_number = [](const std::string& bytes) {
    StateReader in(bytes);
    (void)in.u64();
    return !in.failed();
  };
  EXPECT_TRUE(is_number(std::string(9, '\xFF') + '\x01'));
  EXPECT_FALSE(is_number(std::string(9, '\xFF') + '\x02'));
  EXPECT_FALSE(is_number(std::string(9, '\xFF') + '\x81'));
  EXPECT_FALSE(is_number(std::string(20, '\x80')));
  EXPECT_FALSE(is_number(std::string(3, '\x80')));
  EXPECT_FALSE(is_number(""));
}

TEST(StateBytes, AColumnCutShortIsNone) {
  const std::string bytes(7, 'x');
  StateReader in(bytes);
  std::vector<std::uint32_t> read(2);
  in.column(std::span(read));
  EXPECT_TRUE(in.failed());
  EXPECT_EQ(read, (std::vector<std::uint32_t>{0, 0}));
}

}  // namespace
}  // namespace metricsd
