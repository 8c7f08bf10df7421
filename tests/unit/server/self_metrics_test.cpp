#include "self_metrics.h"

#include <metricsd/exporters/prometheus_text.h>
#include <metricsd/support/exposition_parser.h>

#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

support::ExpositionPage page_of(const SelfFigures& figures) {
  std::string text;
  exporters::render_prometheus_text(text, self_metrics(figures, Moment{}).image().snapshot(Timestamp{}));
  return support::parse_exposition(text);
}

TEST(SelfMetrics, SayWhatTheyAreToldUnderTheContractsNames) {
  SelfFigures figures;
  figures.metrics_namespace = "chopsticks";
  figures.version = "1.2.3";
  figures.totals.operations = 5;
  figures.totals.bytes = 600;
  figures.totals.connections = 2;
  figures.totals.unknown_fields = 4;
  figures.totals.rejected[Errc::too_long] = 3;
  figures.totals.dropped["socket"]["full"] = 9;
  figures.totals.task_samples = 11;
  figures.totals.task_samples_dropped = 12;
  figures.tasks = {.tasks = 13, .bytes = 14};
  figures.series = 42;
  figures.overflowed = 7;
  figures.last_scrape_seconds = 0.25;
  figures.process = ProcessFigures{.cpu_seconds = 1.5, .start_time_seconds = 1, .threads = 4};
  figures.live_runs.resize(1);
  figures.live_runs[0].test_run_id = "r1";
  figures.live_runs[0].test_name = "nightly";

  const auto page = page_of(figures);
  EXPECT_EQ(page.value("metricsd_build_info", {{"version", "1.2.3"}}), 1);
  EXPECT_EQ(page.value("metricsd_ingest_operations_total", {{"delivery", "unacknowledged"}}), 5);
  EXPECT_EQ(page.value("metricsd_ingest_bytes_total"), 600);
  EXPECT_EQ(page.value("metricsd_connections"), 2);
  EXPECT_EQ(page.value("metricsd_unknown_fields_total"), 4);
  EXPECT_EQ(page.value("metricsd_rejected_total", {{"reason", "too_long"}}), 3);
  EXPECT_EQ(page.value("metricsd_dropped_total", {{"sink", "socket"}, {"cause", "full"}}), 9);
  EXPECT_EQ(page.value("metricsd_task_samples_total"), 11);
  EXPECT_EQ(page.value("metricsd_task_samples_dropped_total"), 12);
  EXPECT_EQ(page.value("metricsd_tasks"), 13);
  EXPECT_EQ(page.value("metricsd_task_history_bytes"), 14);
  EXPECT_EQ(page.value("metricsd_series"), 42);
  EXPECT_EQ(page.value("metricsd_series_overflow_total"), 7);
  EXPECT_EQ(page.value("metricsd_scrape_duration_seconds"), 0.25);
  EXPECT_EQ(page.value("process_cpu_seconds_total"), 1.5);
  EXPECT_EQ(page.value("process_threads"), 4);
  EXPECT_EQ(page.value("chopsticks_run_info",
                       {{"test_run_id", "r1"}, {"test_name", "nightly"}, {"scenario", ""}, {"driver", ""}}),
            1);
}

TEST(SelfMetrics, WhatIsNotKnownIsAbsent) {
  const auto page = page_of({});
  EXPECT_EQ(page.value("metricsd_scrape_duration_seconds"), std::nullopt);
  EXPECT_EQ(page.value("process_threads"), std::nullopt);
}

TEST(SelfMetrics, CheckpointsAreToldOfWhereTheyAreMade) {
  SelfFigures figures;
  EXPECT_EQ(page_of(figures).value("metricsd_checkpoint_age_seconds"), std::nullopt);
  figures.checkpoint = CheckpointFigures{.is_failing = true,
                                         .is_late = false,
                                         .is_shown_ahead = true,
                                         .error = {},
                                         .age_ns = 1'500'000'000,
                                         .duration_ns = 250'000'000,
                                         .pause_ns = 125'000'000,
                                         .written = 10,
                                         .file_bytes = 20,
                                         .generation = 3,
                                         .failures = 4,
                                         .bad_files = 2};
  const auto page = page_of(figures);
  EXPECT_EQ(page.value("metricsd_checkpoint_age_seconds"), 1.5);
  EXPECT_EQ(page.value("metricsd_checkpoint_duration_seconds"), 0.25);
  EXPECT_EQ(page.value("metricsd_checkpoint_pause_seconds"), 0.125);
  EXPECT_EQ(page.value("metricsd_checkpoint_written_bytes"), 10);
  EXPECT_EQ(page.value("metricsd_checkpoint_file_bytes"), 20);
  EXPECT_EQ(page.value("metricsd_checkpoint_failing"), 1);
  EXPECT_EQ(page.value("metricsd_checkpoint_failures_total"), 4);
  EXPECT_EQ(page.value("metricsd_checkpoint_damaged_files"), 2);
  EXPECT_EQ(page.value("metricsd_checkpoint_shown_ahead"), 1);
  figures.checkpoint = CheckpointFigures{.is_late = true, .error = {}};
  EXPECT_EQ(page_of(figures).value("metricsd_checkpoint_failing"), 1);
  EXPECT_EQ(page_of(figures).value("metricsd_checkpoint_shown_ahead"), 0);
}

}  // namespace
}  // namespace metricsd::server
