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

}  // namespace
}  // namespace metricsd::server
