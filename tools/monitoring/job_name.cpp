#include "job_name.h"

#include <metricsd/ipc/endpoint_path.h>
#include <metricsd/ipc/socket_directory.h>
#include <metricsd/models/run.h>
#include <metricsd/models/text.h>
#include <metricsd/models/unique_fd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include <fcntl.h>

namespace metricsd::tools {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestBase = 200;  // with its seconds still a label's value and a file's name
constexpr int kSecondsTried = 60;
constexpr std::chrono::minutes kKept{1};  // longer than kSecondsTried names can be ahead of the clock

std::string name_of(std::string_view base, std::int64_t second) {
  return std::string(base) + "_" + std::to_string(second);
}

void remove_old_claims(const fs::path& directory) {
  std::error_code error;
  const auto now = fs::file_time_type::clock::now();
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    const auto written = entry->last_write_time(gone);
    if (!gone && now - written > 2 * kKept) fs::remove(entry->path(), gone);
  }
}

bool make_directory(const fs::path& directory) {
  return ipc::make_socket_directory(directory.parent_path()) && ipc::make_socket_directory(directory);
}

}  // namespace

bool is_job_base(std::string_view text) {
  return !text.empty() && is_clean(text, kLongestBase);
}

fs::path job_directory() {
  return ipc::segment_directories("", ipc::Environment::of_process()).front().parent_path() / "jobs";
}

std::string claim_job_name(const fs::path& directory, std::string_view base, Timestamp at) {
  const std::int64_t first = at.ns / kNsPerSecond;
  if (!make_directory(directory)) return name_of(base, first);
  remove_old_claims(directory);
  for (std::int64_t second = first; second < first + kSecondsTried; ++second) {
    std::string name = name_of(base, second);
    const UniqueFd claim(::open((directory / path_component(name)).c_str(),
                                O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (claim.valid() || errno != EEXIST) return name;
  }
  return name_of(base, first);
}

}  // namespace metricsd::tools
