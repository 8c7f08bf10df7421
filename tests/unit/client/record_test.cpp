#include "record.h"

#include "intake.h"
#include "support/rings.h"

#include <metricsd/ipc/raw_counter.h>
#include <metricsd/ipc/segment_record.h>
#include <metricsd/models/limits.h>

#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace metricsd::client {
namespace {

using std::chrono::nanoseconds;
using std::chrono::system_clock;

using ipc::RecordText;

class RecordTest : public ::testing::Test {
 protected:
  [[nodiscard]] Ring& ring() { return *intake_.rings().of_this_thread(); }
  // The oldest record, taken from the ring.
  ipc::Record next() {
    ipc::Record record;
    EXPECT_TRUE(ipc::decode_record(ring().readable(), record));
    testing::take_and_release(ring(), record.header.size, 1,
                              1);  // the bytes stay until they are written anew
    return record;
  }

  Intake intake_{"id", {}};
};

TEST_F(RecordTest, CarriesEveryField) {
  const Operation operation{.operation_type = "upload",
                            .duration = nanoseconds(112'500'000),
                            .success = false,
                            .object_key = "bucket/key",
                            .object_size_bytes = 1'048'576,
                            .error_code = "SlowDown",
                            .error_message = "please reduce your rate",
                            .retry_count = 3,
                            .start = system_clock::time_point(nanoseconds(42)),
                            .intended_start = system_clock::time_point(std::chrono::seconds(5)),
                            .workload_type = "s3",
                            .driver = "boto",
                            .user_id = "u1",
                            .metadata = R"({"a":1})",
                            .operation_id = "id-1"};
  record_operation(intake_.gate(), operation);
  const ipc::Record record = next();
  EXPECT_EQ(record.header.handle, ipc::kNoHandle);
  EXPECT_EQ(record.header.start, 42);
  EXPECT_EQ(record.header.flags, ipc::record_flags::kIntendedStart);
  EXPECT_EQ(record.intended_start_ns, 5'000'000'000);
  EXPECT_EQ(record.header.duration, 112'500'000);
  EXPECT_EQ(record.header.object_size_bytes, 1'048'576U);
  EXPECT_EQ(record.header.retry_count, 3U);
  EXPECT_EQ(record.text(RecordText::operation_type), "upload");
  EXPECT_EQ(record.text(RecordText::object_key), "bucket/key");
  EXPECT_EQ(record.text(RecordText::error_code), "SlowDown");
  EXPECT_EQ(record.text(RecordText::error_message), "please reduce your rate");
  EXPECT_EQ(record.text(RecordText::workload_type), "s3");
  EXPECT_EQ(record.text(RecordText::driver), "boto");
  EXPECT_EQ(record.text(RecordText::user_id), "u1");
  EXPECT_EQ(record.text(RecordText::metadata), R"({"a":1})");
  EXPECT_EQ(record.text(RecordText::operation_id), "id-1");
}

TEST_F(RecordTest, OfNothingIsEmptyAndEndedNow) {
  const std::int64_t before = ipc::raw_counter::now();
  record_operation(intake_.gate(), {});
  const ipc::Record record = next();
  EXPECT_EQ(record.header.flags, ipc::record_flags::kSuccess | ipc::record_flags::kEndTicks);
  EXPECT_GE(record.header.start, before);
  EXPECT_TRUE(record.text(RecordText::operation_type).empty());
  EXPECT_TRUE(record.text(RecordText::metadata).empty());
}

// A text is copied by moves that overlap: each length has its own.
TEST_F(RecordTest, CarriesATextOfEveryLength) {
  std::string text;
  for (std::size_t size = 0; size <= limits::kObjectKey; ++size) {
    record_operation(intake_.gate(), {.operation_type = "t", .object_key = text, .user_id = "after"});
    const ipc::Record record = next();
    ASSERT_EQ(record.text(RecordText::object_key), text);
    ASSERT_EQ(record.text(RecordText::user_id), "after");
    text.push_back(static_cast<char>('a' + size % 26));
  }
}

TEST_F(RecordTest, CopiesABoundedAmountThatShowsWhatWasTooLong) {
  const std::string endless(1'000'000, 'x');
  const Operation operation{.operation_type = endless,
                            .object_key = endless,
                            .error_code = endless,
                            .error_message = endless,
                            .intended_start = system_clock::time_point(),
                            .workload_type = endless,
                            .driver = endless,
                            .user_id = endless,
                            .metadata = endless,
                            .operation_id = endless};
  record_operation(intake_.gate(), operation);
  EXPECT_EQ(ring().readable().size(), largest_record());
  const ipc::Record record = next();
  EXPECT_GT(record.text(RecordText::operation_type).size(), limits::kTypeName);
  EXPECT_GT(record.text(RecordText::object_key).size(), limits::kObjectKey);
  EXPECT_GT(record.text(RecordText::metadata).size(), limits::kRecordedMetadata);
}

TEST_F(RecordTest, TheLargestFitsTheSmallestRing) {
  EXPECT_LE(largest_record(), std::size_t{32} << 10);
}

TEST_F(RecordTest, IsCountedWhereTheRingIsFull) {
  const std::uint64_t fitting = ring().capacity() / 64;
  for (std::uint64_t i = 0; i < fitting + 5; ++i) record_bound(intake_.gate(), 2, {});
  EXPECT_EQ(ring().committed(), fitting);
  EXPECT_EQ(intake_.losses().count(Loss::ring_full), 5U);
}

TEST_F(RecordTest, WaitsForAFullRingAsLongAsItWasTold) {
  Intake patient("id", {.full_ring_wait = std::chrono::minutes(10)});
  Ring& full = *patient.rings().of_this_thread();
  while (full.committed() < full.capacity() / 64) record_bound(patient.gate(), 2, {});
  std::thread writer([&full] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    testing::take_and_release(full, 64, 1, 1);
  });
  record_bound(patient.gate(), 2, {});
  writer.join();
  EXPECT_EQ(full.committed(), full.capacity() / 64 + 1);

  Intake hasty("id", {.full_ring_wait = std::chrono::milliseconds(1)});
  Ring& stuck = *hasty.rings().of_this_thread();
  for (std::size_t i = 0; i <= stuck.capacity() / 64; ++i) record_bound(hasty.gate(), 2, {});
  EXPECT_EQ(hasty.losses().count(Loss::ring_full), 1U);
}

TEST_F(RecordTest, OfAHandleIsOneCacheLine) {
  const std::uint32_t handle = intake_.handles().bind("upload", "s3", "boto");
  record_bound(
      intake_.gate(), handle,
      {.duration = nanoseconds(5), .success = false, .start = system_clock::time_point(nanoseconds(7))});
  EXPECT_EQ(ring().readable().size(), 64U);
  const ipc::Record record = next();
  EXPECT_EQ(record.header.handle, handle);
  EXPECT_EQ(record.header.start, 7);
  EXPECT_EQ(record.header.duration, 5);
  EXPECT_EQ(record.header.flags, 0U);
}

TEST_F(RecordTest, OfAHandleMayHaveTexts) {
  record_bound(intake_.gate(), 2,
               {.error_code = "SlowDown", .error_message = "later", .object_key = "k", .user_id = "u"});
  const ipc::Record record = next();
  EXPECT_EQ(record.header.handle, 2U);
  EXPECT_EQ(record.text(RecordText::error_code), "SlowDown");
  EXPECT_EQ(record.text(RecordText::error_message), "later");
  EXPECT_EQ(record.text(RecordText::object_key), "k");
  EXPECT_EQ(record.text(RecordText::user_id), "u");
}

}  // namespace
}  // namespace metricsd::client
