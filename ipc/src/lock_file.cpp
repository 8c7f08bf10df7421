#include "lock_file.h"

#include "file_status.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace metricsd::ipc {
namespace {

Result<UniqueFd> open_lock_file(int directory, const std::string& name) {
  UniqueFd fd(
      ::openat(directory, name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600));
  if (!fd.valid() && errno == ELOOP) return Errc::endpoint_untrusted;
  if (!fd.valid()) return last_system_error();
  return fd;
}

Result<> lock(int fd) {
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Errc::endpoint_in_use;
    if (errno != EINTR) return last_system_error();
  }
  return {};
}

bool is_still_named(int directory, const std::string& name, const struct stat& held) {
  const auto named = status_of_entry(directory, name);
  return named && file_id(*named) == file_id(held);
}

}  // namespace

Result<LockFile> LockFile::acquire(int directory, std::string name) {
  while (true) {
    auto fd = open_lock_file(directory, name);
    if (!fd) return fd.error();
    struct stat status {};
    if (::fstat(fd->get(), &status) != 0) return last_system_error();
    if (!S_ISREG(status.st_mode) || !is_trusted_owner(status.st_uid)) return Errc::endpoint_untrusted;
    if (const auto locked = lock(fd->get()); !locked) return locked.error();
    if (is_still_named(directory, name, status)) return LockFile(directory, std::move(name), *std::move(fd));
    // Its holder removed it between our open and our lock: once more, with the file that is there now.
  }
}

LockFile::LockFile(int directory, std::string name, UniqueFd fd)
    : directory_(directory), name_(std::move(name)), fd_(std::move(fd)) {}

LockFile::~LockFile() {
  if (!fd_.valid()) return;
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0 || !is_still_named(directory_, name_, status)) return;
  ::unlinkat(directory_, name_.c_str(), 0);
}

}  // namespace metricsd::ipc
