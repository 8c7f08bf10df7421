#include "summary.h"

#include <metricsd/exporters/text_table.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

using exporters::Cell;
using exporters::figure;
using exporters::printable;
using exporters::TextTable;

constexpr std::size_t kRoleLines = 16;  // those with the most CPU time; the others become one line
constexpr std::string_view kTitle = "\x1B[1m";
constexpr std::string_view kTrend = "\x1B[36m";

double cpu_seconds(const ProcessSample& sample) {
  return sample.cpu_user_seconds + sample.cpu_system_seconds;
}

std::string bytes_or_dash(const std::optional<std::uint64_t>& bytes) {
  return bytes ? bytes_text(static_cast<double>(*bytes)) : "-";
}

class Lines {
 public:
  explicit Lines(const TerminalStyle& style) : style_(style) {}

  void title(const std::string& text) { out_ += marked(text, kTitle) + "\n"; }

  void figures(std::string_view name, const std::string& text, const Trend* trend = nullptr) {
    out_ += "  " + std::string(name) + std::string(kIndent - 2 - name.size(), ' ') + folded(text) + "\n";
    const std::string line =
        trend != nullptr && style_.blocks ? sparkline(trend->points(), style_.columns - kIndent) : "";
    if (!line.empty()) out_ += std::string(kIndent, ' ') + marked(line, kTrend) + "\n";
  }

  [[nodiscard]] std::string& text() { return out_; }

 private:
  static constexpr std::size_t kIndent = 11;

  // Goes on in the next line, behind a comma, where it is too long for one.
  [[nodiscard]] std::string folded(std::string text) const {
    const std::size_t room = style_.columns - kIndent;
    for (std::size_t begin = 0; text.size() - begin > room;) {
      const std::size_t comma = text.rfind(", ", begin + room - 1);
      if (comma == std::string::npos || comma < begin) break;
      text.replace(comma + 1, 1, "\n" + std::string(kIndent, ' '));
      begin = comma + 2 + kIndent;
    }
    return text;
  }

  [[nodiscard]] std::string marked(const std::string& text, std::string_view mark) const {
    return style_.colour ? std::string(mark) + text + std::string(exporters::kPlain) : text;
  }

  const TerminalStyle& style_;
  std::string out_;
};

std::string cpu_text(const ProcessSample& total, const Aggregate& aggregate) {
  std::string text = figure(cpu_seconds(total)) + " s (" + figure(total.cpu_user_seconds) + " user, " +
                     figure(total.cpu_system_seconds) + " system)";
  if (aggregate.avg_cpu_usage()) text += ", " + figure(*aggregate.avg_cpu_usage()) + " % of a core";
  if (aggregate.max_cpu_usage()) text += ", " + figure(*aggregate.max_cpu_usage()) + " % at most";
  return text;
}

std::string memory_text(const Aggregate& aggregate) {
  if (!aggregate.max_memory_usage()) return "-";
  std::string text = bytes_or_dash(aggregate.max_memory_usage()) + " at most";
  if (aggregate.avg_memory_usage()) text += ", " + bytes_text(*aggregate.avg_memory_usage()) + " on average";
  return text;
}

void add_totals(Lines& lines, const Summary& summary) {
  const Collect& collect = summary.task.profile.collect;
  const Aggregate& aggregate = summary.course.aggregates.total;
  lines.figures("wall", figure(summary.wall_seconds) + " s");
  if (collect.cpu) lines.figures("cpu", cpu_text(summary.tree->total, aggregate), &summary.course.cpu);
  if (collect.memory) lines.figures("memory", memory_text(aggregate), &summary.course.memory);
  if (collect.disk_io) {
    lines.figures("disk", bytes_or_dash(aggregate.total_disk_read()) + " read, " +
                              bytes_or_dash(aggregate.total_disk_write()) + " written");
  }
  if (collect.network_io) {
    lines.figures("network", bytes_or_dash(aggregate.total_network_rx()) + " received, " +
                                 bytes_or_dash(aggregate.total_network_tx()) + " sent, by namespace");
  }
  lines.figures("samples", exporters::grouped(aggregate.sample_count()) + ", of " +
                               exporters::grouped(summary.course.most_processes) +
                               (summary.course.most_processes == 1 ? " process" : " processes at most"));
}

std::string unread_text(const CollectionFaults& faults) {
  std::string text;
  const auto add = [&text](std::uint64_t count, const char* what) {
    if (count == 0) return;
    text += (text.empty() ? "" : ", ") + exporters::grouped(count) + " " + what;
  };
  add(faults.denied, "of other users");
  add(faults.lost, "that ended with their last figures");
  add(faults.malformed, "files that could not be read");
  add(faults.unfollowed, "processes too many");
  return text;
}

// A row of the table; columns of what is not collected are left out.
std::vector<Cell> role_row(const Collect& collect, std::array<std::string, 6> cells) {
  std::vector<Cell> row{{std::move(cells[0])}, {std::move(cells[1])}};
  if (collect.cpu) row.push_back({std::move(cells[2])});
  if (collect.memory) row.push_back({std::move(cells[3])});
  if (collect.disk_io) {
    row.push_back({std::move(cells[4])});
    row.push_back({std::move(cells[5])});
  }
  return row;
}

std::vector<const RoleSample*> by_cpu(const TreeSample& tree) {
  std::vector<const RoleSample*> roles;
  for (const RoleSample& role : tree.roles) roles.push_back(&role);
  std::stable_sort(roles.begin(), roles.end(), [](const RoleSample* a, const RoleSample* b) {
    return cpu_seconds(a->sample) > cpu_seconds(b->sample);
  });
  return roles;
}

void add_roles(Lines& lines, const Summary& summary) {
  const Collect& collect = summary.task.profile.collect;
  const Course& course = summary.course;
  std::vector<const RoleSample*> roles = by_cpu(*summary.tree);
  if (roles.size() < 2) return;
  const std::size_t left_out = roles.size() - std::min(roles.size(), kRoleLines);
  roles.resize(roles.size() - left_out);
  TextTable table;
  table.add(role_row(collect, {"role", "at once", "cpu s", "memory", "read", "written"}));
  for (const RoleSample* const role : roles) {
    const auto aggregate = course.aggregates.roles.find(role->role);
    const auto most = course.most_processes_of.find(role->role);
    if (aggregate == course.aggregates.roles.end() || most == course.most_processes_of.end()) continue;
    table.add(role_row(
        collect, {printable(role->role), exporters::grouped(most->second), figure(cpu_seconds(role->sample)),
                  bytes_or_dash(aggregate->second.max_memory_usage()),
                  bytes_or_dash(aggregate->second.total_disk_read()),
                  bytes_or_dash(aggregate->second.total_disk_write())}));
  }
  lines.text() += '\n';
  table.render(lines.text(), "  ", false);
  if (left_out != 0) lines.text() += "  and " + std::to_string(left_out) + " roles with less CPU time\n";
}

}  // namespace

namespace {

// What the terminal says, else $COLUMNS, else 80.
std::size_t columns_of(int terminal) {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  std::size_t columns = ::ioctl(terminal, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
  const char* const variable = std::getenv("COLUMNS");
  if (columns == 0 && variable != nullptr) columns = std::strtoul(variable, nullptr, 10);
  return std::clamp(columns == 0 ? kUsual : columns, TerminalStyle::kFewestColumns,
                    TerminalStyle::kMostColumns);
}

}  // namespace

TerminalStyle TerminalStyle::of(int fd) {
  if (::isatty(fd) == 0) return {};
  const char* const no_colour = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::strcmp(terminal, "dumb") == 0;
  TerminalStyle style;
  style.columns = columns_of(fd);
  style.colour = !dumb && (no_colour == nullptr || *no_colour == '\0');
  std::setlocale(LC_CTYPE, "");
  style.blocks = !dumb && std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0;
  return style;
}

std::string bytes_text(double bytes) {
  constexpr std::array<std::string_view, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  constexpr double kStep = 1024;
  std::size_t unit = 0;
  while (bytes >= kStep && unit + 1 < kUnits.size()) {
    bytes /= kStep;
    ++unit;
  }
  return (unit == 0 ? exporters::grouped(static_cast<std::uint64_t>(bytes)) : figure(bytes)) + " " +
         std::string(kUnits[unit]);
}

std::string render_summary(const Summary& summary, const TerminalStyle& style) {
  Lines lines(style);
  lines.title(printable(summary.task.job_name) + (summary.ending.empty() ? "" : ": " + summary.ending));
  if (summary.tree == nullptr) {
    lines.figures("wall", figure(summary.wall_seconds) + " s");
    return std::move(lines.text());
  }
  add_totals(lines, summary);
  const std::string unread = unread_text(summary.tree->faults);
  if (!unread.empty()) lines.figures("unread", unread);
  add_roles(lines, summary);
  return std::move(lines.text());
}

}  // namespace metricsd::tools
