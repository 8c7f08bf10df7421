#include "owned_file.h"

#include <metricsd/ipc/segment_layout.h>
#include <metricsd/ipc/socket_directory.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <ctime>
#include <system_error>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

namespace metricsd::client {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSwept = 1000;
constexpr std::int64_t kSettledSeconds = 60;

// What a daemon's own directory is called where nobody says otherwise: a client may make it, as a daemon
// would.
constexpr std::string_view kUsualName = "metricsd";

bool allows(std::size_t bytes) {
  rlimit limit{};
  return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur >= bytes;
}

// Where a daemon of the system has its directory nothing is made: root has put the segments' there, or nobody
// has.
bool is_fit_parent(const fs::path& directory) {
  const fs::path parent = directory.parent_path();
  if (!parent.filename().native().starts_with(kUsualName)) return true;
  std::error_code error;
  if (ipc::is_of_system_daemon(parent)) return fs::is_directory(fs::symlink_status(directory, error));
  return ipc::make_socket_directory(parent).has_value();
}

bool has_room(const struct statfs& status) {
  return status.f_bavail >= status.f_blocks / 2;
}

struct flock owners_lock(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_len = 1;
  return lock;
}

bool set_lock(int fd, short type) noexcept {
  struct flock lock = owners_lock(type);
  return ::fcntl(fd, F_SETLK, &lock) == 0;
}

bool has_owner(int fd) {
  struct flock lock = owners_lock(F_WRLCK);
  return ::fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

bool is_adopted(int fd) {
  std::uint64_t magic = 0;
  std::uint32_t adopted = 0;
  return ::pread(fd, &magic, sizeof magic, offsetof(ipc::SegmentHeader, magic)) == sizeof magic &&
         magic == ipc::kSegmentMagic &&
         ::pread(fd, &adopted, sizeof adopted, offsetof(ipc::SegmentHeader, adopted)) == sizeof adopted &&
         adopted == 1;
}

// A lock of ours on a file goes with the first descriptor of it that we close: our own files, which are
// younger, are not opened here.
bool may_be_swept(int directory, const char* name) {
  struct stat status {};
  return ::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
         status.st_uid == ::geteuid() && status.st_ctime + kSettledSeconds < ::time(nullptr);
}

// Removes what daemons have adopted and could not remove. Once in a process: the segments of its own that
// come later are never opened a second time.
void sweep(int directory, const std::string& path) {
  static std::atomic<std::uint64_t> swept{0};
  const std::uint64_t process = fork_guard::arm() + 1;
  if (swept.exchange(process) == process) return;
  std::error_code error;
  std::size_t seen = 0;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end && seen < kMostSwept;
       entry.increment(error), ++seen) {
    const std::string name = entry->path().filename();
    if (!may_be_swept(directory, name.c_str())) continue;
    const UniqueFd file(::openat(directory, name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (file.valid() && is_adopted(file.get()) && !has_owner(file.get()))
      ::unlinkat(directory, name.c_str(), 0);
  }
}

}  // namespace

OwnedFile::OwnedFile(const std::vector<fs::path>& directories, std::size_t bytes) {
  if (!allows(bytes)) return;
  const bool made = std::any_of(directories.begin(), directories.end(),
                                [this](const fs::path& directory) { return make_in(directory); });
  if (!made) fd_ = UniqueFd(::memfd_create("metricsd-segment", MFD_CLOEXEC));
  if (!fd_.valid()) return;
  if (::ftruncate(fd_.get(), static_cast<off_t>(bytes)) != 0 || !set_lock(fd_.get(), F_WRLCK))
    fd_ = UniqueFd();
  closed_in_child_.emplace(fd_.get());
}

OwnedFile::~OwnedFile() {
  remove_name();
}

bool OwnedFile::make_in(const fs::path& directory) {
  std::error_code error;
  const fs::path path = fs::absolute(directory, error);
  if (error) return false;
  if (!is_fit_parent(path)) return false;
  const auto opened = ipc::make_socket_directory(path);
  struct stat status {};
  struct statfs system {};
  if (!opened || ::fstat(opened->get(), &status) != 0 || !ipc::is_closed_to_others(status)) return false;
  if (::fstatfs(opened->get(), &system) != 0 || system.f_type != TMPFS_MAGIC) return false;
  sweep(opened->get(), path);
  if (!has_room(system)) return false;
  fd_ = UniqueFd(::openat(opened->get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd_.valid()) directory_ = path;
  return fd_.valid();
}

void OwnedFile::set_name(std::string_view name) {
  if (directory_.empty() || !fd_.valid()) return;
  std::string path = directory_ + "/" + std::string(name);
  const std::string itself = "/proc/self/fd/" + std::to_string(fd_.get());
  const int done = path_.empty()
                       ? ::linkat(AT_FDCWD, itself.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW)
                       : ::rename(path_.c_str(), path.c_str());
  if (done == 0) path_ = std::move(path);
}

void OwnedFile::remove_name() noexcept {
  if (!path_.empty()) ::unlink(path_.c_str());
  path_.clear();
}

void OwnedFile::leave() noexcept {
  set_lock(fd_.get(), F_UNLCK);
  path_.clear();
}

}  // namespace metricsd::client
