#include "segment_file.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace metricsd::ipc {
namespace {

// Of XFS, whose number no header of the system has.
constexpr unsigned long kXfsMagic = 0x58465342;

bool is_local(int fd) {
  struct statfs status {};
  if (::fstatfs(fd, &status) != 0) return false;
  constexpr std::array<unsigned long, 6> kLocal{TMPFS_MAGIC,       RAMFS_MAGIC, EXT4_SUPER_MAGIC,
                                                BTRFS_SUPER_MAGIC, kXfsMagic,   OVERLAYFS_SUPER_MAGIC};
  return std::find(kLocal.begin(), kLocal.end(), static_cast<unsigned long>(status.f_type)) != kLocal.end();
}

}  // namespace

Result<SegmentFile> SegmentFile::of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return last_system_error();
  if (!S_ISREG(status.st_mode) || !is_local(fd)) return Errc::endpoint_unusable;
  return SegmentFile(fd, static_cast<std::uint64_t>(status.st_size));
}

Result<> SegmentFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > size_ || out.size() > size_ - offset) return Errc::corrupt_state;
  while (!out.empty()) {
    const ssize_t got = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_system_error();
    if (got == 0) return Errc::corrupt_state;  // it has shrunk
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

}  // namespace metricsd::ipc
