#include <metricsd/models/timestamp.h>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

std::string rewritten(std::string_view text) {
  const Result<Timestamp> at = parse_timestamp(text);
  return at ? format_timestamp(*at) : std::string("refused");
}

TEST(Timestamp, ReadsEveryFormOfTheContract) {
  EXPECT_EQ(rewritten("2026-01-31T23:59:59Z"), "2026-01-31T23:59:59.000000Z");
  EXPECT_EQ(rewritten("2026-01-31t23:59:59z"), "2026-01-31T23:59:59.000000Z");
  EXPECT_EQ(rewritten("2026-01-31 23:59:59"), "2026-01-31T23:59:59.000000Z");
  EXPECT_EQ(rewritten("2026-01-31T23:59:59.1"), "2026-01-31T23:59:59.100000Z");
  EXPECT_EQ(rewritten("2026-01-31T23:59:59.123456789+02:00"), "2026-01-31T21:59:59.123456Z");
  EXPECT_EQ(rewritten("2026-01-31T23:30:00-05:45"), "2026-02-01T05:15:00.000000Z");
  EXPECT_EQ(rewritten("2024-02-29T00:00:00Z"), "2024-02-29T00:00:00.000000Z");
}

TEST(Timestamp, CutsInsteadOfRounding) {
  EXPECT_EQ(rewritten("2026-01-01T00:00:00.999999999Z"), "2026-01-01T00:00:00.999999Z");
  EXPECT_EQ(Timestamp{1'999}.to_microseconds(), Timestamp{1'000});
}

TEST(Timestamp, ClampsALeapSecond) {
  EXPECT_EQ(rewritten("2016-12-31T23:59:60Z"), "2016-12-31T23:59:59.999999Z");
  EXPECT_EQ(rewritten("2016-12-31T23:59:60.5Z"), "2016-12-31T23:59:59.999999Z");
}

TEST(Timestamp, KeepsToItsYears) {
  EXPECT_EQ(rewritten("1970-01-01T00:00:00Z"), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(rewritten("2261-12-31T23:59:59.999999999Z"), "2261-12-31T23:59:59.999999Z");
  EXPECT_EQ(rewritten("1969-12-31T23:59:59Z"), "refused");
  EXPECT_EQ(rewritten("2262-01-01T00:00:00Z"), "refused");
  EXPECT_EQ(rewritten("1970-01-01T00:00:00+01:00"), "refused");
}

class NotATimestamp : public testing::TestWithParam<const char*> {};

TEST_P(NotATimestamp, IsRefused) {
  EXPECT_EQ(parse_timestamp(GetParam()).error(), Errc::invalid_timestamp);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, NotATimestamp,
    testing::Values("", "now", "2026", "2026-01-31", "2026-01-31T", "2026-01-31T23:59", "2026-1-31T23:59:59Z",
                    "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
                    "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z",
                    "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z",
                    "2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00+24:00",
                    "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+01",
                    "2026-01-01T00:00:00 Z", "2026-01-01T00:00:00ZZ", " 2026-01-01T00:00:00Z",
                    "2026-01-01T00:00:00Z ", "-026-01-01T00:00:00Z", "2026-01-01_00:00:00Z"));

TEST(Timestamp, NamesFiles) {
  EXPECT_EQ(format_timestamp_compact(parse_timestamp("2026-03-04T05:06:07.9Z").value()), "20260304T050607Z");
}

}  // namespace
}  // namespace metricsd
