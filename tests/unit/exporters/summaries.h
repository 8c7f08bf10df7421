// Summaries put together by hand, for what renders them.
#pragma once

#include <metricsd/models/statistics/summary.h>

namespace metricsd::exporters {

inline Statistics sample_statistics(double scale) {
  return {.count = 3,
          .min = 0.5 * scale,
          .max = 90 * scale,
          .mean = 31.5 * scale,
          .percentiles = {4 * scale, 47 * scale, 72.8 * scale, 81.4 * scale, 88.28 * scale, 89.828 * scale},
          .stddev = 50.25 * scale};
}

inline GroupSummary sample_group() {
  GroupSummary group;
  group.operations = {.total = 4, .successful = 3};
  group.bytes_transferred = 3 << 20;
  group.duration_ms = sample_statistics(1);
  group.throughput_mbps = sample_statistics(0.25);
  group.object_size_bytes =
      SizeStatistics{.min = 1024, .max = 2'097'152, .mean = 1'048'576.5, .total = 4'194'306};
  group.requests_per_second = 0.4;
  return group;
}

// A run of ten seconds with one type of operation.
inline RunSummary sample_summary() {
  RunSummary summary;
  summary.test_run_id = "run-1";
  summary.test_name = "nightly";
  summary.start_time = Timestamp{1'767'225'600 * kNsPerSecond};
  summary.end_time = Timestamp{1'767'225'610 * kNsPerSecond};
  summary.duration_seconds = 10;
  summary.overall = sample_group();
  summary.by_operation["upload"] = sample_group();
  summary.errors_by_code["SlowDown"] = 1;
  return summary;
}

}  // namespace metricsd::exporters
