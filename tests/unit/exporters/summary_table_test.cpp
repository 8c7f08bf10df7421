#include "summaries.h"

#include <metricsd/exporters/run_summary.h>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::exporters {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string table_of(const RunSummary& summary, bool colour = false) {
  std::string text;
  render_summary_table(text, summary, colour);
  return text;
}

TEST(SummaryTableTest, GoldenTable) {
  RunSummary summary = sample_summary();
  GroupSummary& removal = summary.by_operation["delete"];
  removal.operations = {.total = 1'234'567, .successful = 1'234'567};
  removal.duration_ms = sample_statistics(0.01);
  removal.duration_ms->max = 12'345.6;
  removal.requests_per_second = 123'456.7;
  summary.by_operation["list"].operations = {.total = 2, .successful = 0};
  summary.dropped = {{"socket", {{"no_daemon", 1'500}, {"queue_full", 0}}}};
  EXPECT_EQ(table_of(summary),
            "nightly: 10.0 s, 4 operations, 75.00 % successful\n"
            "\n"
            "operation      count  errors    ops/s  MiB/s  p50 ms  p90 ms  p99 ms  p99.9 ms  max ms\n"
            "delete     1,234,567       0  123,457      0   0.040    0.73    0.88      0.90  12,346\n"
            "list               2       2        -      0       -       -       -         -       -\n"
            "upload             4       1     0.40   0.30    4.00    72.8    88.3      89.8    90.0\n"
            "total              4       1     0.40   0.30    4.00    72.8    88.3      89.8    90.0\n"
            "\n"
            "errors\n"
            "  SlowDown  1\n"
            "\n"
            "dropped\n"
            "  socket: no_daemon  1,500\n");
}

TEST(SummaryTableTest, ARunOfNothing) {
  EXPECT_EQ(table_of(RunSummary()),
            "run: 0 s, 0 operations\n"
            "\n"
            "operation  count  errors  ops/s  MiB/s  p50 ms  p90 ms  p99 ms  p99.9 ms  max ms\n"
            "total          0       0      -      -       -       -       -         -       -\n");
}

TEST(SummaryTableTest, AHundredPercentMeansAll) {
  RunSummary summary = sample_summary();
  summary.overall.operations = {.total = 1'000'000, .successful = 999'999};
  EXPECT_THAT(table_of(summary), HasSubstr("1,000,000 operations, 99.99 % successful\n"));
  summary.overall.operations.successful = 1'000'000;
  EXPECT_THAT(table_of(summary), HasSubstr("100.00 % successful\n"));
}

TEST(SummaryTableTest, TheMostFrequentErrorsFirstAndTenAtMost) {
  RunSummary summary = sample_summary();
  summary.errors_by_code.clear();
  for (std::uint64_t i = 1; i <= 13; ++i) summary.errors_by_code["E" + std::to_string(i)] = i;
  EXPECT_THAT(table_of(summary), HasSubstr("errors\n"
                                           "  E13           13\n"
                                           "  E12           12\n"));
  EXPECT_THAT(table_of(summary), HasSubstr("  E4             4\n"
                                           "  3 more codes   6\n"));
}

TEST(SummaryTableTest, ColourOnlyWhenAskedAndOnlyForFailures) {
  RunSummary summary = sample_summary();
  EXPECT_THAT(table_of(summary), Not(HasSubstr("\x1B")));
  EXPECT_THAT(table_of(summary, true), HasSubstr("     \x1B[31m1\x1B[0m  "));
  summary.overall.operations.successful = summary.overall.operations.total;
  summary.by_operation = {{"upload", summary.overall}};
  summary.errors_by_code.clear();
  EXPECT_THAT(table_of(summary, true), Not(HasSubstr("\x1B")));
}

TEST(SummaryTableTest, NothingFromOutsideCommandsTheTerminal) {
  RunSummary summary = sample_summary();
  summary.test_name =
      "a\x1B[2Jb\xC2\x9B"
      "c\nd\x7F";
  summary.errors_by_code = {{"x\r\t\a\xFFy", 1}};
  const std::string table = table_of(summary);
  EXPECT_THAT(table, testing::StartsWith("a?[2Jb?c?d?: "));
  EXPECT_THAT(table, HasSubstr("  x???\xEF\xBF\xBDy  1\n"));
}

TEST(SummaryTableTest, WidthIsCountedInCharacters) {
  RunSummary summary = sample_summary();
  summary.errors_by_code = {{"caf\xC3\xA9", 2}, {"plain", 1}};
  EXPECT_THAT(table_of(summary), HasSubstr("  caf\xC3\xA9   2\n  plain  1\n"));
}

}  // namespace
}  // namespace metricsd::exporters
