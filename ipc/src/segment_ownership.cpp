#include "segment_file.h"

#include <metricsd/ipc/segment_ownership.h>

#include <cerrno>
#include <cstddef>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::ipc {
namespace {

struct flock owners_byte(short type = F_WRLCK) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = 0;
  lock.l_len = 1;
  return lock;
}

}  // namespace

Result<pid_t> segment_owner(int file) {
  if (const auto checked = SegmentFile::of(file); !checked) return checked.error();
  struct flock lock = owners_byte();
  if (::fcntl(file, F_GETLK, &lock) != 0) return last_system_error();
  return lock.l_type == F_UNLCK ? -1 : lock.l_pid;
}

Result<> lock_segment(int file) {
  struct flock lock = owners_byte();
  if (::fcntl(file, F_SETLK, &lock) == 0) return {};
  if (errno == EAGAIN || errno == EACCES) return Errc::endpoint_in_use;
  return last_system_error();
}

void unlock_segment(int file) {
  struct flock lock = owners_byte(F_UNLCK);
  ::fcntl(file, F_SETLK, &lock);
}

Result<> mark_adopted(int file, Adopted what) {
  const ssize_t written = ::pwrite(file, &what, sizeof what, offsetof(SegmentHeader, adopted));
  if (written < 0) return last_system_error();
  return written == sizeof what ? Result<>() : Errc::corrupt_state;
}

Result<> remove_segment(int directory, const char* name, int file) {
  struct stat named {};
  struct stat held {};
  if (::fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) != 0 || ::fstat(file, &held) != 0)
    return last_system_error();
  if (held.st_dev != named.st_dev || held.st_ino != named.st_ino) return Errc::endpoint_untrusted;
  if (::unlinkat(directory, name, 0) != 0) return last_system_error();
  return {};
}

}  // namespace metricsd::ipc
