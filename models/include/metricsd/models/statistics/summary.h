// Statistics of a run as values: what aggregated.json and the table at the end of a run say.
#pragma once

#include <metricsd/models/drop_counts.h>
#include <metricsd/models/run.h>
#include <metricsd/models/timestamp.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace metricsd {

// The percentiles every statistic has, in thousandths, and their names in the files.
struct Percentile {
  unsigned per_mille;
  std::string_view name;
};
inline constexpr std::array<Percentile, 6> kPercentiles{
    {{500, "p50"}, {750, "p75"}, {900, "p90"}, {950, "p95"}, {990, "p99"}, {999, "p99_9"}}};

// Of one quantity. Percentiles are type 7: linear interpolation at (n - 1) p
// (Hyndman and Fan, "Sample Quantiles in Statistical Packages", 1996). The median is p50.
struct Statistics {
  std::uint64_t count = 0;
  double min = 0;
  double max = 0;
  double mean = 0;
  std::array<double, kPercentiles.size()> percentiles{};
  double stddev = 0;  // of the sample (n - 1), 0 for one value

  [[nodiscard]] double percentile(unsigned per_mille) const;  // one of kPercentiles; NaN for another

  bool operator==(const Statistics&) const = default;
};

struct OperationCounts {
  std::uint64_t total = 0;
  std::uint64_t successful = 0;

  [[nodiscard]] std::uint64_t failed() const { return total - successful; }
  // A percentage, 0-100; nothing for none.
  [[nodiscard]] std::optional<double> success_rate() const;

  bool operator==(const OperationCounts&) const = default;
};

struct SizeStatistics {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
  double mean = 0;
  std::uint64_t total = 0;  // saturates at 2^64 - 1

  bool operator==(const SizeStatistics&) const = default;
};

// One group of operations. Durations, throughputs and response times are of the successful ones.
struct GroupSummary {
  OperationCounts operations;
  std::uint64_t bytes_transferred = 0;  // of successful operations; saturates
  std::optional<Statistics> duration_ms;
  std::optional<Statistics> throughput_mbps;
  std::optional<SizeStatistics> object_size_bytes;
  std::optional<Statistics> response_time_ms;  // where intended_start was given
  std::optional<double> requests_per_second;   // nothing where the time is 0

  bool operator==(const GroupSummary&) const = default;
};

struct WindowSummary {
  Timestamp window_start;
  double window_seconds = 0;  // of the last window its true length; 0 where it begins after the run's end
  std::string operation_type;
  std::string workload_type;
  GroupSummary group;

  bool operator==(const WindowSummary&) const = default;
};

enum class SummaryMethod { exact, exponential_histogram };

struct RunSummary {
  SummaryMethod method = SummaryMethod::exact;
  std::string test_run_id;
  std::string test_name;
  std::optional<Timestamp> start_time;
  std::optional<Timestamp> end_time;
  double duration_seconds = 0;
  DropCounts dropped;
  GroupSummary overall;
  std::map<std::string, GroupSummary> by_operation;
  std::map<std::string, std::uint64_t> errors_by_code;
  std::vector<WindowSummary> windows;  // by start, operation type, workload type

  bool operator==(const RunSummary&) const = default;
};

}  // namespace metricsd
