// What is printed when the watching ends.
#pragma once

#include "destination.h"
#include "monitor.h"

#include <cstddef>
#include <string>
#include <vector>

namespace metricsd::tools {

// What a terminal can show.
struct TerminalStyle {
  bool colour = false;  // on a terminal, unless NO_COLOR or TERM=dumb says otherwise
  bool blocks = false;  // on a terminal of a UTF-8 locale
  std::size_t columns = kMostColumns;

  static constexpr std::size_t kMostColumns = 1000;  // where nothing is a line's end
  static constexpr std::size_t kFewestColumns = 40;  // with fewer, lines are broken by the terminal

  [[nodiscard]] static TerminalStyle of(int fd);
};

struct Summary {
  const Task& task;
  const Course& course;
  const TreeSample* tree;  // the last one; null where only the machine was watched
  double wall_seconds;
  std::string ending;  // "exit 0"; empty where nothing is said of it
};

// A line for each of wall time, CPU, memory, disk, network, and the roles as a table.
[[nodiscard]] std::string render_summary(const Summary& summary, const TerminalStyle& style);

// "1.50 MiB"
[[nodiscard]] std::string bytes_text(double bytes);

}  // namespace metricsd::tools
