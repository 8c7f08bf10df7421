#include "segment_directory.h"

#include <metricsd/ipc/segment_ownership.h>
#include <metricsd/ipc/socket_directory.h>

#include <cerrno>
#include <memory>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::server {

Result<SegmentDirectory> SegmentDirectory::open(const std::filesystem::path& path) {
  UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.valid() && (errno == ELOOP || errno == ENOTDIR)) return Errc::endpoint_untrusted;
  struct stat status {};
  if (!directory.valid() || ::fstat(directory.get(), &status) != 0) return last_system_error();
  const bool is_shared = status.st_uid == 0 && (status.st_mode & S_ISVTX) != 0;
  const bool is_ours = status.st_uid == ::geteuid() || is_shared;
  if (!is_ours || !ipc::is_closed_to_others(status)) return Errc::endpoint_untrusted;
  return SegmentDirectory(std::move(directory), is_shared);
}

bool SegmentDirectory::is_anothers(const std::string& name) const {
  struct stat status {};
  return ::fstatat(directory_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
         status.st_uid != ::geteuid();
}

void SegmentDirectory::for_each_name(const std::function<bool(const std::string&)>& visit) const {
  const int copy = ::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(copy), &::closedir);
  if (!entries) {
    ::close(copy);
    return;
  }
  std::size_t looked_at = 0;
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (++looked_at > kMostNames) return;
    if (is_shared_ && is_anothers(name)) continue;
    if (!visit(name)) return;
  }
}

Result<UniqueFd> SegmentDirectory::open_segment(const std::string& name) const {
  UniqueFd segment(
      ::openat(directory_.get(), name.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  const bool is_no_file = errno == ELOOP || errno == EISDIR || errno == ENXIO;
  if (!segment.valid() && is_no_file) return Errc::endpoint_untrusted;
  struct stat status {};
  if (!segment.valid() || ::fstat(segment.get(), &status) != 0) return last_system_error();
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid()) return Errc::endpoint_untrusted;
  return segment;
}

void SegmentDirectory::remove(const std::string& name, int segment) const {
  static_cast<void>(ipc::remove_segment(directory_.get(), name.c_str(), segment));
}

}  // namespace metricsd::server
