#include "pid_listing.h"

#include "text_scanner.h"

#include <algorithm>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

DIR* open_again(int directory) {
  const int fd = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  DIR* opened = ::fdopendir(fd);
  if (opened == nullptr) ::close(fd);
  return opened;
}

}  // namespace

PidListing::PidListing(int directory) : directory_(open_again(directory)) {}

PidListing::PidListing(PidListing&& other) noexcept
    : directory_(std::exchange(other.directory_, nullptr)), pids_(std::move(other.pids_)) {}

PidListing::~PidListing() {
  if (directory_ != nullptr) ::closedir(directory_);
}

const std::vector<pid_t>& PidListing::read() {
  pids_.clear();
  if (directory_ == nullptr) return pids_;
  ::rewinddir(directory_);
  while (const dirent* entry = ::readdir(directory_)) {
    const auto pid = TextScanner::as_number<pid_t>(entry->d_name);
    if (pid && *pid > 0) pids_.push_back(*pid);
  }
  if (!std::is_sorted(pids_.begin(), pids_.end())) std::sort(pids_.begin(), pids_.end());  // not /proc, then
  return pids_;
}

}  // namespace metricsd::tools
