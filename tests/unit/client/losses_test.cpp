#include "losses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::client {
namespace {

TEST(LossLedger, NamesOnlyWhatWasLost) {
  LossLedger ledger;
  EXPECT_TRUE(drop_counts(ledger.totals()).empty());
  ledger.add(Loss::ring_full, 2);
  ledger.add(Loss::socket_queue_full, 3);
  ledger.add(Loss::ring_full, 1);
  const DropCounts expected{{"ring", {{"full", 3}}}, {"socket", {{"queue_full", 3}}}};
  EXPECT_EQ(drop_counts(ledger.totals()), expected);
  EXPECT_EQ(total(ledger.totals()), 6U);
  EXPECT_EQ(turned_away(ledger.totals()), 3U);
}

TEST(LossLedger, TellsTheDifferenceToABase) {
  LossLedger ledger;
  ledger.add(Loss::jsonl_disk_full, 5);
  const LossTotals base = ledger.totals();
  ledger.add(Loss::socket_no_daemon, 1);
  const DropCounts expected{{"socket", {{"no_daemon", 1}}}};
  EXPECT_EQ(drop_counts(ledger.totals(), base), expected);
}

TEST(LossLedger, HasANameOfItsOwnForEachLoss) {
  LossTotals one_of_each;
  one_of_each.fill(1);
  std::size_t names = 0;
  for (const auto& [sink, causes] : drop_counts(one_of_each)) {
    EXPECT_NE(sink, "");
    names += causes.size();
  }
  EXPECT_EQ(names, kLosses);
}

}  // namespace
}  // namespace metricsd::client
