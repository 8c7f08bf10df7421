#include "intake.h"

#include "record.h"

#include <metricsd/models/limits.h>

#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::client {
namespace {

TEST(Intake, AccountsForWhatItTookAndTurnedAway) {
  Intake intake("id", {});
  record_operation(intake.gate(), {.operation_type = "upload"});
  intake.close(Loss::record_finished);
  record_operation(intake.gate(), {.operation_type = "upload"});
  const Intake::Account account = intake.account();
  EXPECT_EQ(account.recorded, 2U);
  EXPECT_EQ(drop_counts(account.lost), (DropCounts{{"record", {{"finished", 1}}}}));
}

// A thread that was within record() when the intake closed may commit at any later time.
TEST(Intake, CountsAsLateWhatComesAtAnyTimeAfterTheWriter) {
  Intake intake("id", {});
  const auto commit = [&intake] {
    Ring* ring = intake.rings().of_this_thread();
    ring->commit(ring->reserve(64), 64);
  };
  commit();
  commit();
  std::vector<ThreadRings::SlotPtr> slots;
  intake.rings().refresh(slots);
  slots[0]->ring.take(64, 1, 1);
  intake.end(slots);
  EXPECT_EQ(intake.segment().header().ended.load(), 1U);  // a reader of the segment counts none of the rest
  EXPECT_EQ(intake.account().recorded, 2U);
  EXPECT_EQ(drop_counts(intake.account().lost), (DropCounts{{"record", {{"late", 1}}}}));
  commit();
  EXPECT_EQ(intake.account().recorded, 3U);
  EXPECT_EQ(drop_counts(intake.account().lost), (DropCounts{{"record", {{"late", 2}}}}));
}

TEST(Intake, CountsWhatAThreadWithoutARingRecords) {
  static_assert(IntakeOptions{}.most_rings == limits::kMetricsStream,
                "the stream after them is not a ring's");
  Intake intake("id", {.most_rings = 1});
  record_operation(intake.gate(), {.operation_type = "upload"});
  std::thread([&intake] {
    record_operation(intake.gate(), {.operation_type = "upload"});
    record_operation(intake.gate(), {.operation_type = "upload"});
  }).join();
  EXPECT_EQ(intake.account().recorded, 3U);
  EXPECT_EQ(drop_counts(intake.account().lost), (DropCounts{{"ring", {{"no_memory", 2}}}}));
}

TEST(Intake, HoldsUsersToWhatAReaderTakes) {
  Intake intake("id", {});
  intake.set_users(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(intake.users(), limits::kWhole);
  EXPECT_EQ(intake.most_users(), limits::kWhole);
}

}  // namespace
}  // namespace metricsd::client
