#include "record.h"

#include <metricsd/models/limits.h>

#include <string>

#include <gtest/gtest.h>

namespace metricsd::client {
namespace {

using std::chrono::nanoseconds;
using std::chrono::system_clock;

TEST(Record, CarriesEveryField) {
  Ring ring(64 * 1024);
  const Operation operation{.operation_type = "upload",
                            .duration = nanoseconds(112'500'000),
                            .success = false,
                            .object_key = "bucket/key",
                            .object_size_bytes = 1'048'576,
                            .error_code = "SlowDown",
                            .error_message = "please reduce your rate",
                            .retry_count = 3,
                            .start = {},
                            .intended_start = system_clock::time_point(std::chrono::seconds(5)),
                            .workload_type = "s3",
                            .driver = "boto",
                            .user_id = "u1",
                            .metadata = R"({"a":1})",
                            .operation_id = "id-1"};
  ASSERT_TRUE(write_record(ring, operation, 42));
  const Record record = read_record(ring.front());
  EXPECT_EQ(record.start_ns, 42);
  EXPECT_TRUE(record.has_intended_start);
  EXPECT_EQ(record.intended_start_ns, 5'000'000'000);
  EXPECT_EQ(record.duration_ns, 112'500'000);
  EXPECT_EQ(record.object_size_bytes, 1'048'576U);
  EXPECT_EQ(record.retry_count, 3U);
  EXPECT_FALSE(record.success);
  EXPECT_EQ(record.operation_type, "upload");
  EXPECT_EQ(record.object_key, "bucket/key");
  EXPECT_EQ(record.error_code, "SlowDown");
  EXPECT_EQ(record.error_message, "please reduce your rate");
  EXPECT_EQ(record.workload_type, "s3");
  EXPECT_EQ(record.driver, "boto");
  EXPECT_EQ(record.user_id, "u1");
  EXPECT_EQ(record.metadata, R"({"a":1})");
  EXPECT_EQ(record.operation_id, "id-1");
}

TEST(Record, OfNothingIsEmpty) {
  Ring ring(1024);
  ASSERT_TRUE(write_record(ring, {}, 0));
  const Record record = read_record(ring.front());
  EXPECT_TRUE(record.success);
  EXPECT_FALSE(record.has_intended_start);
  EXPECT_TRUE(record.operation_type.empty());
  EXPECT_TRUE(record.metadata.empty());
}

TEST(Record, CopiesABoundedAmountThatShowsWhatWasTooLong) {
  Ring ring(64 * 1024);
  const std::string endless(1'000'000, 'x');
  const Operation operation{.operation_type = endless,
                            .object_key = endless,
                            .error_code = endless,
                            .error_message = endless,
                            .workload_type = endless,
                            .driver = endless,
                            .user_id = endless,
                            .metadata = endless,
                            .operation_id = endless};
  ASSERT_TRUE(write_record(ring, operation, 0));
  EXPECT_EQ(ring.front().size(), largest_record());
  const Record record = read_record(ring.front());
  EXPECT_GT(record.operation_type.size(), limits::kTypeName);
  EXPECT_GT(record.object_key.size(), limits::kObjectKey);
  EXPECT_GT(record.metadata.size(), limits::kRecordedMetadata);
}

TEST(Record, TheLargestFitsTheSmallestRing) {
  EXPECT_LE(largest_record(), std::size_t{32} << 10);
}

TEST(Record, IsRefusedByAFullRing) {
  Ring ring(128);
  ASSERT_TRUE(write_record(ring, {.operation_type = "upload"}, 0));
  EXPECT_FALSE(write_record(ring, {.operation_type = "upload"}, 0));
  EXPECT_EQ(ring.committed(), 1U);
}

}  // namespace
}  // namespace metricsd::client
