#include "process_search.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace metricsd::tools {

namespace {

namespace fs = std::filesystem;

pid_t pid_of(const std::string& name) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  return error == std::errc() && end == name.data() + name.size() ? pid : 0;
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

ProcessSearch::ProcessSearch(fs::path proc, std::string_view pattern) : proc_(std::move(proc)) {
  static_cast<void>(rules_.add(std::string(pattern) + "=wanted"));
}

std::vector<pid_t> ProcessSearch::find() const {
  std::vector<pid_t> found;
  std::error_code error;
  for (fs::directory_iterator entry(proc_, error), end; !error && entry != end; entry.increment(error)) {
    const pid_t pid = pid_of(entry->path().filename().string());
    if (pid <= 0 || pid == ::getpid()) continue;
    std::string comm = content_of(entry->path() / "comm");
    if (comm.ends_with('\n')) comm.pop_back();
    if (!rules_.find(pid, comm, content_of(entry->path() / "cmdline")).empty()) found.push_back(pid);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace metricsd::tools
