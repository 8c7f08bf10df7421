#include "process_search.h"

#include "pid_path.h"

#include <string>

#include <unistd.h>

namespace metricsd::tools {

ProcessSearch::ProcessSearch(const std::filesystem::path& proc, std::string_view pattern)
    : files_(proc), listing_(files_.directory()) {
  static_cast<void>(rules_.add(std::string(pattern) + "=wanted"));
}

std::vector<pid_t> ProcessSearch::find() {
  std::vector<pid_t> found;
  for (const pid_t pid : listing_.read()) {
    if (pid == ::getpid()) continue;
    const auto comm = files_.read(PidPath(pid, "comm").c_str());
    if (!comm) continue;
    std::string name(*comm);
    if (name.ends_with('\n')) name.pop_back();
    const auto command_line = files_.read_beginning(PidPath(pid, "cmdline").c_str());
    if (!rules_.find(pid, name, command_line ? *command_line : "").empty()) found.push_back(pid);
  }
  return found;
}

}  // namespace metricsd::tools
