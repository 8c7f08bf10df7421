#include "left_segment.h"

#include <metricsd/ipc/endpoint_path.h>
#include <metricsd/ipc/file_completion.h>
#include <metricsd/ipc/segment_ownership.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::tools {

namespace {

namespace fs = std::filesystem;

// Another who delivers it has its lock for a moment.
constexpr int kLockAttempts = 50;
constexpr std::chrono::milliseconds kLockPause{20};

bool is_segment_name(const std::string& name) {
  constexpr std::size_t kIdDigits = 32;
  return name.size() == kIdDigits && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// A directory may be that of many users' segments: those of others are theirs to deliver, save for root.
bool is_ours_to_open(const fs::path& path) {
  struct stat status {};
  const uid_t own = ::geteuid();
  return own == 0 || (::lstat(path.c_str(), &status) == 0 && status.st_uid == own);
}

Result<> lock(int file) {
  for (int attempt = 1;; ++attempt) {
    const auto locked = ipc::lock_segment(file);
    if (locked || locked.error() != Errc::endpoint_in_use || attempt == kLockAttempts) return locked;
    std::this_thread::sleep_for(kLockPause);
  }
}

}  // namespace

std::vector<fs::path> default_segment_directories() {
  return ipc::segment_directories("", ipc::Environment::of_process());
}

std::vector<fs::path> left_segments(const std::vector<fs::path>& places) {
  std::vector<fs::path> files;
  for (const fs::path& place : places) {
    std::error_code error;
    if (!fs::is_directory(place, error)) {
      if (fs::exists(fs::symlink_status(place, error))) files.push_back(place);
      continue;
    }
    for (fs::directory_iterator entry(place, error), end; !error && entry != end; entry.increment(error)) {
      if (is_segment_name(entry->path().filename().string()) && is_ours_to_open(entry->path())) {
        files.push_back(entry->path());
      }
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string explain_opening(const error_code& error) {
  if (error == Errc::endpoint_untrusted) return "a symbolic link; name what it points to";
  if (error == Errc::endpoint_unusable) return "not a segment: no file of memory or disk";
  if (error == Errc::corrupt_state) return "not a segment, or a damaged one";
  if (error == Errc::unsupported_protocol) return "a segment of another version of the library";
  return error.message();
}

Result<LeftSegment> LeftSegment::open(const fs::path& path) {
  auto file =
      std::make_shared<const UniqueFd>(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file->valid() && errno == ELOOP) return Errc::endpoint_untrusted;
  if (!file->valid()) return last_system_error();
  auto reader = ipc::SegmentReader::open(file->get());
  if (!reader) return reader.error();
  return LeftSegment(path, std::move(file), *std::move(reader));
}

bool LeftSegment::is_owned() const {
  const auto owner = ipc::segment_owner(file());
  return !owner || *owner != -1;
}

bool LeftSegment::is_in_use() const {
  const auto owner = ipc::segment_owner(file());
  return owner && *owner != -1 && static_cast<std::uint32_t>(*owner) == reader_.pid();
}

bool LeftSegment::is_own() const {
  struct stat status {};
  return ::fstat(file(), &status) == 0 && status.st_uid == ::geteuid();
}

bool LeftSegment::may_lack_lines() const {
  return reader_.adopted() != ipc::Adopted::wholly && ipc::may_lack_lines(reader_);
}

bool LeftSegment::is_of(const fs::path& directory) const {
  std::error_code error;
  return !reader_.run().directory.empty() && fs::equivalent(reader_.run().directory, directory, error);
}

Result<std::uint64_t> LeftSegment::complete_file() {
  if (!is_own()) return Errc::endpoint_untrusted;
  if (is_in_use()) return Errc::endpoint_in_use;
  if (const auto locked = lock(file()); !locked) return locked.error();
  auto anew = ipc::SegmentReader::open(file());
  if (!anew) return anew.error();
  reader_ = *std::move(anew);
  if (reader_.adopted() == ipc::Adopted::wholly) return std::uint64_t{0};
  const auto lines = ipc::complete_file(reader_, reader_.run().directory, ::geteuid());
  if (!lines) return lines;
  if (reader_.adopted() == ipc::Adopted::by_daemon) {
    const auto marked = ipc::mark_adopted(file(), ipc::Adopted::wholly);
    if (!marked) return marked.error();
  }
  return lines;
}

bool LeftSegment::remove_if_delivered() {
  const auto anew = ipc::SegmentReader::open(file());
  if (!anew || anew->adopted() != ipc::Adopted::wholly) return false;
  const auto removed = ipc::remove_segment(AT_FDCWD, path_.c_str(), file());
  return removed ||
         removed.error() == boost::system::errc::no_such_file_or_directory;  // the daemon was faster
}

}  // namespace metricsd::tools
