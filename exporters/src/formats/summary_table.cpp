#include <metricsd/exporters/run_summary.h>
#include <metricsd/models/utf8.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace metricsd::exporters {
namespace {

constexpr std::size_t kErrorLines = 10;  // the most frequent; the rest becomes one line
constexpr std::string_view kUnknown = "-";
constexpr std::string_view kRed = "\x1B[31m";
constexpr std::string_view kPlain = "\x1B[0m";

// "1,234,567"
std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t left = digits.size(); left > 3; left -= 3) digits.insert(left - 3, 1, ',');
  return digits;
}

std::string with_decimals(double value, int decimals) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, decimals);
  return {text.data(), end.ptr};
}

// About three digits that matter: "0.042", "3.14", "12.5", "1,234".
std::string figure(double value) {
  if (value < 0.0995) return value == 0 ? "0" : with_decimals(value, 3);
  if (value < 9.995) return with_decimals(value, 2);
  if (value < 99.95) return with_decimals(value, 1);
  return grouped(static_cast<std::uint64_t>(std::llround(value)));
}

std::string figure(std::optional<double> value) {
  return value ? figure(*value) : std::string(kUnknown);
}

// Names and codes come from outside, and a terminal obeys control characters: none of them passes.
std::string printable(std::string_view text) {
  std::string valid;
  append_valid_utf8(valid, text);
  std::string safe;
  for (std::size_t i = 0; i < valid.size(); ++i) {
    const auto byte = static_cast<unsigned char>(valid[i]);
    const bool c1 = byte == 0xC2 && static_cast<unsigned char>(valid[i + 1]) < 0xA0;  // U+0080 to U+009F
    const bool control = byte < 0x20 || byte == 0x7F || c1;
    safe += control ? '?' : valid[i];
    if (c1) ++i;
  }
  return safe;
}

// Columns on a terminal, as far as one character is one column.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

struct Cell {
  std::string text;
  bool alarming = false;
};

// Lines of cells, the first column to the left, figures to the right.
class Table {
 public:
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

  void render(std::string& out, std::string_view indent, bool colour) const {
    const std::vector<std::size_t> widths = column_widths();
    for (const std::vector<Cell>& row : rows_) {
      out += indent;
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (i != 0) out += "  ";
        const std::size_t padding = widths[i] - width_of(row[i].text);
        if (i != 0) out.append(padding, ' ');
        append_cell(out, row[i], colour);
        if (i == 0) out.append(padding, ' ');
      }
      out += '\n';
    }
  }

 private:
  [[nodiscard]] std::vector<std::size_t> column_widths() const {
    std::vector<std::size_t> widths;
    for (const std::vector<Cell>& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i].text));
    }
    return widths;
  }

  static void append_cell(std::string& out, const Cell& cell, bool colour) {
    const bool red = colour && cell.alarming;
    if (red) out += kRed;
    out += cell.text;
    if (red) out += kPlain;
  }

  std::vector<std::vector<Cell>> rows_;
};

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
    row.push_back({durations ? figure(durations->percentile(per_mille)) : std::string(kUnknown)});
  }
  row.push_back({durations ? figure(durations->max) : std::string(kUnknown)});
  return row;
}

void append_operations(std::string& out, const RunSummary& summary, bool colour) {
  Table table;
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
  Table table;
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
  Table table;
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
