#include "pid_cgroup.h"

#include "mountinfo.h"
#include "text_scanner.h"

namespace metricsd::tools {

namespace {

// The path of the first line whose controllers fit.
template <class Fits>
std::optional<std::string_view> path_where(std::string_view text, Fits fits) {
  TextScanner scanner(text);
  do {
    const std::string_view line = scanner.rest_of_line();
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    if (fits(line.substr(0, first), line.substr(first + 1, second - first - 1)))
      return line.substr(second + 1);
  } while (scanner.next_line());
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> unified_group(std::string_view text) {
  return path_where(text, [](std::string_view number, std::string_view controllers) {
    return number == "0" && controllers.empty();
  });
}

std::optional<std::string_view> group_of(std::string_view text, std::string_view controller) {
  return path_where(text, [&](std::string_view, std::string_view controllers) {
    return has_word(controllers, controller);
  });
}

}  // namespace metricsd::tools
