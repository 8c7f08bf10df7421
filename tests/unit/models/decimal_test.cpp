#include <metricsd/models/decimal.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

std::int64_t ns(std::string_view text) {
  return milliseconds_to_ns(text).value();
}

std::string written(std::int64_t value) {
  std::string out;
  append_ns_as_milliseconds(out, value);
  return out;
}

TEST(Decimal, ReadsMillisecondsFromTheirDigits) {
  EXPECT_EQ(ns("112.5"), 112'500'000);
  EXPECT_EQ(ns("0.1"), 100'000);
  EXPECT_EQ(ns("0"), 0);
  EXPECT_EQ(ns("-0.0"), 0);
  EXPECT_EQ(ns("0.000001"), 1);
  EXPECT_EQ(ns("1e3"), 1'000'000'000);
  EXPECT_EQ(ns("1.5E-3"), 1'500);
  EXPECT_EQ(ns("0.0000000000000000000000001e20"), 10);
  EXPECT_EQ(ns("1000000000"), 1'000'000'000'000'000);
  EXPECT_EQ(ns("999999999.999999"), 999'999'999'999'999);
}

TEST(Decimal, RoundsHalfUpBelowANanosecond) {
  EXPECT_EQ(ns("0.0000005"), 1);
  EXPECT_EQ(ns("0.00000049999"), 0);
  EXPECT_EQ(ns("4e-7"), 0);
  EXPECT_EQ(ns("1e-400"), 0);
}

TEST(Decimal, RefusesWhatNoDurationIs) {
  for (const char* text :
       {"-1", "-0.000001", "1000000000.000001", "1e10", "1e400", "99999999999999999999999999"}) {
    EXPECT_EQ(milliseconds_to_ns(text).error(), Errc::out_of_range) << text;
  }
}

TEST(Decimal, ReadsWholeNumbersHoweverTheyAreWritten) {
  constexpr std::uint64_t kMax = 9'007'199'254'740'992;
  for (const char* text :
       {"1048576", "1048576.0", "1.048576e6", "10485760e-1", "1048576.00000000000000000000000"}) {
    EXPECT_EQ(whole_number(text, kMax).value(), 1'048'576u) << text;
  }
  EXPECT_EQ(whole_number("-0", kMax).value(), 0u);
  EXPECT_EQ(whole_number("9007199254740992.0", kMax).value(), kMax);
  for (const char* text : {"-1", "1.5", "1e-3", "9007199254740993", "9007199254740993.0",
                           "1048576.0000000001", "1048576.00000000000000000000001", "1e300", "1e400"}) {
    EXPECT_EQ(whole_number(text, kMax).error(), Errc::out_of_range) << text;
  }
}

TEST(Decimal, WritesMillisecondsExactly) {
  EXPECT_EQ(written(112'500'000), "112.5");
  EXPECT_EQ(written(0), "0");
  EXPECT_EQ(written(1), "0.000001");
  EXPECT_EQ(written(1'000'000), "1");
  EXPECT_EQ(written(10'000'010), "10.00001");
  EXPECT_EQ(written(-1'500'000), "-1.5");
  for (const std::int64_t value : {1L, 999'999L, 123'456'789L, 1'000'000'000'000'000L})
    EXPECT_EQ(ns(written(value)), value);
}

TEST(Decimal, DividesWithOneRounding) {
  EXPECT_EQ(ratio(0, 7), 0);
  EXPECT_EQ(ratio(1, 3), 1.0 / 3.0);
  EXPECT_EQ(ratio(10, 4), 2.5);
  EXPECT_EQ(ratio(100'000'000, 1'000'000'000), 0.1);
  // 2^53 + 1 lies half way: to even. A little more: up.
  const Uint128 half_way = (Uint128{1} << 53) + 1;
  EXPECT_EQ(ratio(half_way, 1), 9007199254740992.0);
  EXPECT_EQ(ratio(half_way * 1000 + 1, 1000), 9007199254740994.0);
  EXPECT_EQ(ratio(~Uint128{0}, 1), std::ldexp(1.0, 128));
  EXPECT_EQ(ratio(1, Uint128{1} << 72), std::ldexp(1.0, -72));
  EXPECT_EQ(ratio(~Uint128{0}, (Uint128{1} << 72) - 1), std::ldexp(1.0, 56));
}

TEST(Decimal, WritesNumbersAsShortAsTheyReadBack) {
  const auto text = [](double value) {
    std::string out;
    append_double(out, value);
    return out;
  };
  EXPECT_EQ(text(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(text(0.4375), "0.4375");
  EXPECT_EQ(text(1e22), "1e+22");
  EXPECT_EQ(text(std::nan("")), "NaN");
  EXPECT_EQ(text(-std::numeric_limits<double>::infinity()), "-Inf");
}

// What a text's digits say, read by decimal_fraction() and by the standard library.
void expect_as_from_chars(std::uint64_t digits, unsigned places) {
  std::string text = std::to_string(digits);
  if (text.size() <= places) text.insert(0, places + 1 - text.size(), '0');
  text.insert(text.size() - places, ".");
  double expected = 0;
  std::from_chars(text.data(), text.data() + text.size(), expected);
  EXPECT_EQ(decimal_fraction(digits, places), expected) << text;
}

TEST(Decimal, MakesTheDoubleThatIsNextToItsDigits) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const auto places = static_cast<unsigned>(random() % 20);
    expect_as_from_chars(random() >> random() % 64, places);
    // Half-way between two doubles, and one unit of the last digit beside it.
    const std::uint64_t half_way = ((std::uint64_t{1} << 53) + (random() >> 11)) | 1;
    for (const std::uint64_t digits : {half_way * 10 - 1, half_way * 10, half_way * 10 + 1})
      expect_as_from_chars(digits, 1);
  }
  for (unsigned power = 53; power < 64; ++power) {  // the doubles change their distance here
    for (unsigned places = 0; places < 20; ++places) {
      const std::uint64_t change = std::uint64_t{1} << power;
      for (std::uint64_t digits = change - 2; digits <= change + 2; ++digits)
        expect_as_from_chars(digits, places);
    }
  }
}

}  // namespace
}  // namespace metricsd
