#include "owned_file.h"

#include "left_segments.h"

#include <metricsd/ipc/segment_ownership.h>
#include <metricsd/ipc/socket_directory.h>

#include <algorithm>
#include <system_error>
#include <utility>

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

}  // namespace

OwnedFile::OwnedFile(const std::vector<fs::path>& directories, std::size_t bytes) {
  if (!allows(bytes)) return;
  const bool made = std::any_of(directories.begin(), directories.end(),
                                [this](const fs::path& directory) { return make_in(directory); });
  if (!made) fd_ = UniqueFd(::memfd_create("metricsd-segment", MFD_CLOEXEC));
  if (!fd_.valid()) return;
  if (::ftruncate(fd_.get(), static_cast<off_t>(bytes)) != 0 || !ipc::lock_segment(fd_.get()))
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
  for (auto& left : sweep_segments(opened->get(), path)) left_.push_back(std::move(left));
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
  ipc::unlock_segment(fd_.get());
  path_.clear();
}

}  // namespace metricsd::client
