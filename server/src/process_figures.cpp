#include "process_figures.h"

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::server {
namespace {

namespace fs = std::filesystem;

// The fields of stat(5) behind the command's name, which may itself hold spaces and parentheses.
std::vector<std::string> stat_fields(const fs::path& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(text.substr(name_end + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

std::optional<double> boot_time_seconds(const fs::path& path) {
  std::ifstream file(path);
  std::string key;
  double value = 0;
  while (file >> key) {
    if (key == "btime" && file >> value) return value;
    std::getline(file, key);
  }
  return std::nullopt;
}

// From Linux 6.2 on the directory's size is its number of entries (proc(5)); to list ten thousand of them
// takes longer than the rest of a scrape.
std::optional<std::uint64_t> count_descriptors(const fs::path& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) == 0 && status.st_size > 0) {
    return static_cast<std::uint64_t>(status.st_size);
  }
  std::error_code error;
  const fs::directory_iterator entries(directory, error);
  if (error) return std::nullopt;
  return static_cast<std::uint64_t>(std::distance(begin(entries), end(entries)));
}

std::uint64_t max_open_files() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

}  // namespace

std::optional<ProcessFigures> read_process_figures(const fs::path& proc) {
  // Positions in what follows the name: field 3 of stat(5) is the first.
  enum : std::size_t {
    kUserTicks = 11,
    kSystemTicks = 12,
    kThreads = 17,
    kStartTicks = 19,
    kVirtual = 20,
    kResident = 21
  };
  const auto fields = stat_fields(proc / "self" / "stat");
  const auto boot = boot_time_seconds(proc / "stat");
  const auto open_fds = count_descriptors(proc / "self" / "fd");
  if (fields.size() <= kResident || !boot || !open_fds) return std::nullopt;

  const auto number = [&](std::size_t field) { return std::strtoull(fields[field].c_str(), nullptr, 10); };
  const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return ProcessFigures{
      .cpu_seconds = static_cast<double>(number(kUserTicks) + number(kSystemTicks)) / ticks_per_second,
      .start_time_seconds = *boot + static_cast<double>(number(kStartTicks)) / ticks_per_second,
      .virtual_memory_bytes = number(kVirtual),
      .resident_memory_bytes = number(kResident) * page_bytes,
      .threads = number(kThreads),
      .open_fds = *open_fds,
      .max_fds = max_open_files()};
}

}  // namespace metricsd::server
