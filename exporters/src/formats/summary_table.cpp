#include <metricsd/exporters/run_summary.h>
#include <metricsd/exporters/text_table.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace metricsd::exporters {
namespace {

constexpr std::size_t kErrorLines = 10;  // the most frequent; the rest becomes one line

// Whole hundredths of a percent, cut: "100.00" only where nothing failed.
std::string success_percentage(const OperationCounts& counts) {
  const std::uint64_t hundredths = counts.successful * 10'000 / counts.total;
  return with_decimals(static_cast<double>(hundredths) / 100, 2);
}

void append_title(std::string& out, const RunSummary& summary) {
  const OperationCounts& counts = summary.overall.operations;
  out += summary.test_name.empty() ? "run" : printable(summary.test_name);
  out += ": " + figure(summary.duration_seconds) + " s, " + grouped(counts.total) + " operations";
  if (counts.total != 0) out += ", " + success_percentage(counts) + " % successful";
  out += "\n";
}

std::vector<Cell> group_row(std::string name, const GroupSummary& group, double seconds) {
  constexpr double kMiB = 1 << 20;
  const std::uint64_t failed = group.operations.failed();
  std::optional<double> mib_per_second;
  if (seconds > 0) mib_per_second = static_cast<double>(group.bytes_transferred) / kMiB / seconds;
  std::vector<Cell> row{{std::move(name)},
                        {grouped(group.operations.total)},
                        {grouped(failed), failed != 0},
                        {figure(group.requests_per_second)},
                        {figure(mib_per_second)}};
  const std::optional<Statistics>& durations = group.duration_ms;
  for (const unsigned per_mille : {500U, 900U, 990U, 999U}) {
    row.push_back({figure(durations ? std::optional(durations->percentile(per_mille)) : std::nullopt)});
  }
  row.push_back({figure(durations ? std::optional(durations->max) : std::nullopt)});
  return row;
}

void append_operations(std::string& out, const RunSummary& summary, bool colour) {
  TextTable table;
  table.add({{"operation"},
             {"count"},
             {"errors"},
             {"ops/s"},
             {"MiB/s"},
             {"p50 ms"},
             {"p90 ms"},
             {"p99 ms"},
             {"p99.9 ms"},
             {"max ms"}});
  for (const auto& [operation_type, group] : summary.by_operation) {
    table.add(group_row(printable(operation_type), group, summary.duration_seconds));
  }
  table.add(group_row("total", summary.overall, summary.duration_seconds));
  out += '\n';
  table.render(out, "", colour);
}

void append_errors(std::string& out, const RunSummary& summary, bool colour) {
  if (summary.errors_by_code.empty()) return;
  std::vector<std::pair<std::string, std::uint64_t>> codes(summary.errors_by_code.begin(),
                                                           summary.errors_by_code.end());
  std::stable_sort(codes.begin(), codes.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  const std::size_t shown = std::min(codes.size(), kErrorLines);
  TextTable table;
  for (std::size_t i = 0; i < shown; ++i) {
    table.add({{printable(codes[i].first)}, {grouped(codes[i].second), true}});
  }
  std::uint64_t rest = 0;
  for (std::size_t i = shown; i < codes.size(); ++i) rest += codes[i].second;
  if (rest != 0) table.add({{std::to_string(codes.size() - shown) + " more codes"}, {grouped(rest), true}});
  out += "\nerrors\n";
  table.render(out, "  ", colour);
}

void append_dropped(std::string& out, const DropCounts& dropped, bool colour) {
  TextTable table;
  bool any = false;
  for (const auto& [sink, causes] : dropped) {
    for (const auto& [cause, count] : causes) {
      if (count == 0) continue;
      table.add({{printable(sink) + ": " + printable(cause)}, {grouped(count), true}});
      any = true;
    }
  }
  if (!any) return;
  out += "\ndropped\n";
  table.render(out, "  ", colour);
}

}  // namespace

void render_summary_table(std::string& out, const RunSummary& summary, bool colour) {
  append_title(out, summary);
  append_operations(out, summary, colour);
  append_errors(out, summary, colour);
  append_dropped(out, summary.dropped, colour);
}

}  // namespace metricsd::exporters
