#include <metricsd/models/decimal.h>
#include <metricsd/models/operation.h>
#include <metricsd/models/timestamp.h>

#include <cstdint>
#include <random>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

TEST(ThroughputOf, IsNothingWithoutASizeOrADuration) {
  EXPECT_FALSE(throughput_of(0, 1));
  EXPECT_FALSE(throughput_of(1, 0));
  EXPECT_FALSE(throughput_of(1, -1));
  EXPECT_EQ(throughput_of(1 << 20, 500'000'000), 2.0);
}

// Whichever way it is computed, it is the double next to the true quotient.
TEST(ThroughputOf, IsRoundedOnce) {
  std::mt19937_64 random(7);  // NOLINT: the same sequence each time
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t size = 1 + (random() >> (11 + random() % 53));
    const auto duration = static_cast<std::int64_t>(1 + (random() >> (14 + random() % 50)));
    const double exact = ratio(Uint128{size} * static_cast<std::uint64_t>(kNsPerSecond),
                               Uint128{static_cast<std::uint64_t>(duration)} << 20);
    ASSERT_EQ(throughput_of(size, duration), exact) << size << " " << duration;
  }
}

}  // namespace
}  // namespace metricsd
