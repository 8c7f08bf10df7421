#include "ingest_totals.h"

#include <metricsd/models/limits.h>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

TEST(IngestTotals, MergeAddsEverything) {
  IngestTotals a;
  a.operations = 1;
  a.rejected[Errc::too_long] = 2;
  a.dropped["socket"]["full"] = 3;
  IngestTotals b;
  b.operations = 10;
  b.bytes = 20;
  b.unknown_fields = 30;
  b.connections = 40;
  b.task_samples = 50;
  b.task_samples_dropped = 60;
  b.rejected[Errc::too_long] = 5;
  b.rejected[Errc::half_line] = 1;
  b.dropped["socket"]["full"] = 4;
  a.merge(b);
  EXPECT_EQ(a.operations, 11U);
  EXPECT_EQ(a.bytes, 20U);
  EXPECT_EQ(a.unknown_fields, 30U);
  EXPECT_EQ(a.connections, 40U);
  EXPECT_EQ(a.task_samples, 50U);
  EXPECT_EQ(a.task_samples_dropped, 60U);
  EXPECT_EQ(a.rejected[Errc::too_long], 7U);
  EXPECT_EQ(a.rejected_in_all(), 8U);
  EXPECT_EQ(a.dropped["socket"]["full"], 7U);
}

TEST(IngestTotals, DropPairsBeyondTheLimitFoldIntoOne) {
  DropCounts counts;
  for (std::size_t i = 0; i < limits::kDropPairs + 10; ++i) add_dropped(counts, "sink", std::to_string(i), 1);
  EXPECT_EQ(count_drop_pairs(counts), limits::kDropPairs + 1);
  EXPECT_EQ(counts["__overflow__"]["__overflow__"], 10U);
  add_dropped(counts, "sink", "0", 5);
  EXPECT_EQ(counts["sink"]["0"], 6U);
}

TEST(IngestTotals, AreSavedUnderTheirNames) {
  IngestTotals totals;
  totals.operations = 1;
  totals.acknowledged = 2;
  totals.bytes = 3;
  totals.unknown_fields = 4;
  totals.task_samples = 8;
  totals.task_samples_dropped = 9;
  totals.connections = 5;
  totals.rejected[Errc::too_long] = 6;
  totals.dropped["socket"]["full"] = 7;
  std::string bytes;
  StateWriter out(bytes);
  totals.save(out);
  StateReader in(bytes);
  const IngestTotals loaded = IngestTotals::load(in);
  EXPECT_TRUE(in.at_end() && !in.failed());
  EXPECT_EQ(loaded.operations, 1U);
  EXPECT_EQ(loaded.acknowledged, 2U);
  EXPECT_EQ(loaded.bytes, 3U);
  EXPECT_EQ(loaded.unknown_fields, 4U);
  EXPECT_EQ(loaded.task_samples, 8U);
  EXPECT_EQ(loaded.task_samples_dropped, 9U);
  EXPECT_EQ(loaded.connections, 0U);
  EXPECT_EQ(loaded.rejected, totals.rejected);
  EXPECT_EQ(loaded.dropped, totals.dropped);
}

// What a newer daemon saved and this one does not know is left out.
TEST(IngestTotals, UnknownNamesArePassedOver) {
  std::string bytes;
  StateWriter out(bytes);
  out.u64(2);
  out.text("bytes");
  out.u64(3);
  out.text("moons");
  out.u64(4);
  out.u64(1);
  out.text("bad_mood");
  out.u64(5);
  out.u64(0);
  StateReader in(bytes);
  const IngestTotals loaded = IngestTotals::load(in);
  EXPECT_TRUE(in.at_end() && !in.failed());
  EXPECT_EQ(loaded.bytes, 3U);
  EXPECT_TRUE(loaded.rejected.empty());
}

}  // namespace
}  // namespace metricsd::server
