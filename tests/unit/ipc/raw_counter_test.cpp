#include <metricsd/ipc/raw_counter.h>

#include <cstdint>

#include <gtest/gtest.h>

namespace metricsd::ipc {
namespace {

TEST(RawCounter, GoesForward) {
  const std::int64_t first = raw_counter::now();
  const CounterReading reading = CounterReading::take();
  EXPECT_LE(first, reading.ticks);
  EXPECT_LE(reading.ticks, raw_counter::now());
}

}  // namespace
}  // namespace metricsd::ipc
